/**
 * Standard input and output of container processes. The process has pipes or a terminal; its client has fifos, files
 * or a logger, which it names by path or URI scheme. One thread, the mover, moves the bytes between pipes and fifos;
 * each file, and each direction of a terminal, has a thread of its own.
 */
package io.loomshim.stdio;
