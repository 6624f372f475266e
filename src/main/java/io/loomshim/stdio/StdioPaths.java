package io.loomshim.stdio;

/**
 * The stdio of a process as the client named it: paths of fifos or URIs, each possibly empty.
 *
 * @param terminal whether the process has a pseudo terminal instead of three streams
 */
public record StdioPaths(String stdin, String stdout, String stderr, boolean terminal) {
  /** Whether the process gets /dev/null three times. */
  boolean none() {
    return stdin.isEmpty() && stdout.isEmpty() && stderr.isEmpty();
  }
}
