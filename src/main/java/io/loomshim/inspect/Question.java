package io.loomshim.inspect;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the operator asks: {@code RUN_DIR [--json] [--namespace NS | --run DIR | PID]}; the launcher puts the first.
 *
 * @param directory where the run directories of all daemons are
 * @param json whether the answer is for a machine
 * @param namespace of which the daemons are wanted
 * @param run the run directory of the one that is wanted
 * @param pid the process of the one that is wanted
 */
record Question(Path directory, boolean json, Optional<String> namespace, Optional<Path> run, OptionalLong pid) {
  static final String USAGE = "Usage: containerd-shim-loom-v1 inspect [--json] [--namespace NS | --run DIR | PID]";

  /**
   * Reads the command line.
   *
   * @throws IllegalArgumentException with a text for the user
   */
  static Question parse(String[] args) {
    boolean json = false;
    Optional<String> namespace = Optional.empty();
    Optional<Path> run = Optional.empty();
    OptionalLong pid = OptionalLong.empty();
    for (int i = 1; i < args.length; i++) {
      switch (args[i]) {
        case "--json" -> json = true;
        case "--namespace" -> namespace = Optional.of(value(args, ++i));
        case "--run" -> run = Optional.of(Path.of(value(args, ++i)));
        default -> pid = OptionalLong.of(pid(args[i]));
      }
    }
    int choices = (namespace.isPresent() ? 1 : 0) + (run.isPresent() ? 1 : 0) + (pid.isPresent() ? 1 : 0);
    if (choices > 1) {
      throw new IllegalArgumentException("only one of --namespace, --run and PID");
    }
    return new Question(Path.of(args[0]), json, namespace, run, pid);
  }

  private static String value(String[] args, int at) {
    if (at >= args.length) {
      throw new IllegalArgumentException("no value for " + args[at - 1]);
    }
    return args[at];
  }

  private static long pid(String word) {
    try {
      return Long.parseUnsignedLong(word);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("unknown argument " + word);
    }
  }
}
