package io.loomshim.insight;

import java.util.List;

/**
 * What some work is about: a container, an exec of it, or neither. Said once by the one that does the work, and carried
 * from there into names of threads, logs, recordings and reports. Immutable.
 *
 * @param container the container, empty for none
 * @param exec the exec of that container, empty for the container itself
 */
public record Subject(String container, String exec) {
  /** Nothing that is known. */
  public static final Subject NONE = new Subject("", "");

  /** A container. */
  public static Subject of(String container) {
    return new Subject(container, "");
  }

  /** A container, or an exec of it where there is one. */
  public static Subject of(String container, String exec) {
    return new Subject(container, exec);
  }

  /** Names and values for a line of the log, which goes to the log of the container. */
  public List<String> fields() {
    return List.of("id", container, "exec", exec);
  }

  /** The words of a name, {@code web-1} or {@code web-1/probe}; empty for none. */
  @Override
  public String toString() {
    return exec.isEmpty() ? container : container + "/" + exec;
  }
}
