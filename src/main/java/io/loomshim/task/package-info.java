/**
 * The task service, one method per call of {@code containerd.task.v2.Task}. Knows containers and the
 * messages, no system calls and no runc.
 */
package io.loomshim.task;
