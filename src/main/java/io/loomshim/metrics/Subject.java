package io.loomshim.metrics;

import java.util.List;

/**
 * The container or exec that some work is for, or neither. The code that does the work sets it once; names of threads,
 * logs, recordings and reports take it from there. Immutable.
 *
 * @param container the container, empty for none
 * @param exec the exec of that container, empty for the container itself
 */
public record Subject(String container, String exec) {
  /** Neither a container nor an exec. */
  public static final Subject NONE = new Subject("", "");

  /** A container. */
  public static Subject of(String container) {
    return new Subject(container, "");
  }

  /** A container, or an exec of it where there is one. */
  public static Subject of(String container, String exec) {
    return new Subject(container, exec);
  }

  /** Names and values for a line of the log; the line goes to the log of the container. */
  public List<String> fields() {
    return List.of("id", container, "exec", exec);
  }

  /** The subject in the name of a thread: {@code web-1} or {@code web-1/probe}; empty for none. */
  @Override
  public String toString() {
    return exec.isEmpty() ? container : container + "/" + exec;
  }
}
