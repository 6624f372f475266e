/**
 * Standard input and output of container processes: pipes or a terminal inside, fifos, files or a logger outside, and
 * what moves between them.
 */
package io.loomshim.stdio;
