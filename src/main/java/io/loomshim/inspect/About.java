package io.loomshim.inspect;

import java.nio.file.Path;

/**
 * What does not change while a daemon lives.
 *
 * @param namespace the containerd namespace that it serves
 * @param mode for whom there is a daemon: namespace, pod or container
 * @param containerd containerd's gRPC socket
 * @param run its run directory, whose name begins with its build
 */
public record About(String namespace, String mode, String containerd, Path run) {
  /** The build: what stands before the first {@code @} in the name of the run directory. */
  String build() {
    String name = String.valueOf(run.getFileName());
    int at = name.indexOf('@');
    return at < 0 ? "" : name.substring(0, at);
  }
}
