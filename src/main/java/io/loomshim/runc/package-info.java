/**
 * The runtime of a container: {@link io.loomshim.runc.Runc} has one method for each of its commands,
 * {@link io.loomshim.runc.RuncCommand} the arguments of each as a record. A command runs as a process with a deadline,
 * and the text of its failure comes from its log; start and delete of a known runc are done here without one. All
 * runtimes get the same arguments, but for exec's {@code --cgroup}, for which the help of each is asked; what else
 * differs between runc, crun and others goes by the name ({@link io.loomshim.runc.RuncSettings},
 * {@link io.loomshim.runc.DefaultRuntime}) or the version ({@link io.loomshim.runc.RuntimeVersion}), and is known to
 * the launcher's {@code start}, {@code -info}, {@code delete} and {@code check}. A command has the environment of the
 * container's {@code start}, which the launcher keeps in {@code loom.env} in the bundle. Create, restore and exec are
 * given the streams, whose {@code attach} has the descriptors of the process.
 */
package io.loomshim.runc;
