package io.loomshim.process;

import io.loomshim.linux.Fd;
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
 * @param image the file to run in the place of {@code argv[0]}, a copy of it, or empty; where that cannot be started
 *     {@code argv[0]} is
 */
public record Spawn(List<String> argv, List<String> env, Path cwd, List<Fd> fds, String image) {
  /** What to start, from the file that {@code argv[0]} names. */
  public Spawn(List<String> argv, List<String> env, Path cwd, List<Fd> fds) {
    this(argv, env, cwd, fds, "");
  }

  public Spawn {
    argv = List.copyOf(argv);
    env = List.copyOf(env);
    fds = List.copyOf(fds);
  }

  /** The same without an image. */
  Spawn plain() {
    return new Spawn(argv, env, cwd, fds);
  }
}
