package io.loomshim.linux;

import java.nio.file.Path;
import java.util.List;

/**
 * What to start.
 *
 * @param argv the program, an absolute path, and its arguments; {@code argv[0]} is passed as given
 * @param env the whole environment, {@code NAME=value} each
 * @param cwd the working directory
 * @param fds become descriptors 0, 1, 2, … of the child, blocking or not as they are; all others are
 *     closed there. They stay open here and stay their owner's.
 */
public record Spawn(List<String> argv, List<String> env, Path cwd, List<Fd> fds) {
  public Spawn {
    argv = List.copyOf(argv);
    env = List.copyOf(env);
    fds = List.copyOf(fds);
  }
}
