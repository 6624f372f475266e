/**
 * Saves a container with CRIU, through runc: the arguments, the log and the image. {@code container} calls it, which
 * has the lock and freezes again after a failure; a restore is made there, by Start.
 */
package io.loomshim.checkpoint;
