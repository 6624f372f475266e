package io.loomshim.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How to save a container with CRIU.
 *
 * @param image the directory for the image
 * @param work the directory for CRIU's log; a directory in the bundle when empty
 * @param exit whether the container ends with it
 */
public record CheckpointSpec(
    Path image,
    Optional<Path> work,
    boolean exit,
    boolean openTcp,
    boolean externalUnixSockets,
    boolean terminal,
    boolean fileLocks,
    List<String> emptyNamespaces) {
  public CheckpointSpec {
    emptyNamespaces = List.copyOf(emptyNamespaces);
  }
}
