package io.loomshim.inspect;

import java.nio.file.Path;
import java.util.List;

/**
 * The facts about a daemon that never change: what it serves and where.
 *
 * @param namespace the containerd namespace that it serves
 * @param mode what one daemon serves: namespace, pod or container
 * @param containerd containerd's gRPC socket
 * @param run its run directory
 * @param build its build, which the name of the run directory begins with, unless that is of a daemon before
 * @param mistakes the lines of its settings that do not count
 */
public record Identity(String namespace, String mode, String containerd, Path run, String build,
    List<String> mistakes) {}
