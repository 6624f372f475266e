/**
 * The task service, with a method for each call of {@code containerd.task.v2.Task} and {@code v3}: reads the request,
 * has a container do it, makes the reply. {@link io.loomshim.task.TaskHandlers} says how each call is run,
 * {@link io.loomshim.task.Unanswered} what becomes of it when the daemon is killed meanwhile, and
 * {@link io.loomshim.task.ErrorCodes} gives a code to a failure that has none yet. The runtime options of a container,
 * unlike the settings of loomshim.conf, are decoded here ({@link io.loomshim.task.RuntimeOptions}) and used by
 * {@code runc} and {@code container}. Makes no system call and runs no command itself; a file that runtime options
 * name is all that it reads.
 */
package io.loomshim.task;
