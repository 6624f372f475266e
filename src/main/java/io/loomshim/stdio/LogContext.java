package io.loomshim.stdio;

import java.util.List;

/**
 * Whose output a logger takes.
 *
 * @param id the container's id, or the exec's for an exec
 * @param namespace the containerd namespace
 */
public record LogContext(String id, String namespace) {
  /** The whole environment of a logger. */
  List<String> environment() {
    return List.of("CONTAINER_ID=" + id, "CONTAINER_NAMESPACE=" + namespace);
  }
}
