package io.loomshim.inspect;

import java.nio.file.Path;
import java.util.List;

/**
 * The facts about a daemon that never change: what it serves and where.
 *
 * @param namespace the containerd namespace that it serves
 * @param mode what one daemon serves: namespace, pod or container
 * @param containerd containerd's gRPC socket
 * @param run its run directory, whose name begins with its build
 * @param mistakes the lines of its settings that do not count
 */
public record Identity(String namespace, String mode, String containerd, Path run, List<String> mistakes) {
  /** The build: what stands before the first {@code @} in the name of the run directory. */
  public String build() {
    String name = String.valueOf(run.getFileName());
    int at = name.indexOf('@');
    return at < 0 ? "" : name.substring(0, at);
  }
}
