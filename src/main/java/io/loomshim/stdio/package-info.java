/**
 * Standard input and output of container processes. Without a terminal a container's stdio is the
 * client's fifo itself: opened here, handed to runc, never copied.
 */
package io.loomshim.stdio;
