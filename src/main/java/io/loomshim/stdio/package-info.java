/**
 * Standard input and output of container processes. The process has pipes or a terminal; its client has fifos, files
 * or a logger, which it names by path or URI scheme: {@link io.loomshim.stdio.Target} reads what is named,
 * {@link io.loomshim.stdio.ProcessIo} opens it for pipes and {@link io.loomshim.stdio.Console} for a terminal; both
 * close stdin, and Console sets the size of the window. One thread, the mover, moves the bytes between pipes and
 * fifos; each file, and each direction of a terminal, has a thread of its own.
 */
package io.loomshim.stdio;
