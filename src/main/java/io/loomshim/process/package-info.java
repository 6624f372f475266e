/**
 * Processes: how children are started, signalled, awaited by pidfd and reaped, the orphans that the kernel gives the
 * daemon as their subreaper, and what the daemon sets once for its own process: session, subreaper, core scheduling,
 * limit of open files. The thread that waits for each process of a container is in {@code container}, where it is
 * decided what an exit means, and whether a Kill goes to the process or to runc.
 */
package io.loomshim.process;
