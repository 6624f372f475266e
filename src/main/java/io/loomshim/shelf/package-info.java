/**
 * Descriptors that outlive the daemon: they are kept in queues in the kernel whose ends the holder has too, the small
 * program that starts the next daemon. This room knows the queues and the holder, not what is kept in them.
 */
package io.loomshim.shelf;
