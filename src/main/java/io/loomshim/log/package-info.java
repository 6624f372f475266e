/**
 * The one log. Where its lines go is decided in {@code daemon}: to containerd's fifo of each container, or to the
 * daemon's own file.
 */
package io.loomshim.log;
