/**
 * The run directory, through which launcher, daemon and {@code inspect} find one another: the name and socket of the
 * daemon, leases, locks, marks of what {@code delete} has removed, and the removal of directories whose daemon is
 * dead. Also the answer to a {@code delete} that the daemon leaves in the bundle, {@code loom.deleted}.
 */
package io.loomshim.rundir;
