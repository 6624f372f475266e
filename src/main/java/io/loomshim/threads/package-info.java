/**
 * Every thread of the daemon is made and named here, and the steps that may wait for a file system for ever run here,
 * on platform threads.
 */
package io.loomshim.threads;
