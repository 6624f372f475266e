/**
 * The runtime of a container: {@link io.loomshim.runc.Runc} has one method for each of its commands,
 * {@link io.loomshim.runc.RuncCommand} the arguments of each as a record. A command runs as a process with a
 * deadline, and the text of its failure comes from its log; start and delete of a known runc are done here without
 * one. What differs between runc, crun and others is known here, and by the launcher's {@code start}, {@code -info},
 * {@code delete} and {@code check}. Create, restore and exec are given the streams, whose {@code attach} has the
 * descriptors of the process.
 */
package io.loomshim.runc;
