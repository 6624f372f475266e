/**
 * The run directory, through which launcher, daemon and {@code inspect} find one another: the name and socket of the
 * daemon, leases, locks, marks of what {@code delete} has removed, and the removal of directories whose daemon is
 * dead.
 */
package io.loomshim.rundir;
