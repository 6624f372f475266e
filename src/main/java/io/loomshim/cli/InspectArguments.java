package io.loomshim.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The arguments of {@code inspect}: {@code RUN_DIR [--json | --prometheus] [--namespace NS | --run DIR | PID]}. The
 * launcher adds the first.
 *
 * @param directory the parent of all run directories
 * @param form how to print the answers
 * @param namespace asks only the daemons of this namespace
 * @param run asks only the daemon of this run directory
 * @param pid asks only the daemon with this pid
 */
record InspectArguments(
    Path directory, Form form, Optional<String> namespace, Optional<Path> run, OptionalLong pid) {
  /** How answers are printed: as a page for people, as JSON, or in the text format of Prometheus. */
  enum Form { PAGE, JSON, PROMETHEUS }

  static final String USAGE =
      "Usage: containerd-shim-loom-v1 inspect [--json | --prometheus] [--namespace NS | --run DIR | PID]"
          + "\n       containerd-shim-loom-v1 inspect --ended [--json]"
          + "\n       containerd-shim-loom-v1 inspect --traces FILE";

  /**
   * Reads the command line.
   *
   * @throws IllegalArgumentException with a text for the user
   */
  static InspectArguments parse(String[] args) {
    Form form = Form.PAGE;
    Optional<String> namespace = Optional.empty();
    Optional<Path> run = Optional.empty();
    OptionalLong pid = OptionalLong.empty();
    for (int i = 1; i < args.length; i++) {
      switch (args[i]) {
        case "--json" -> form = only(form, Form.JSON);
        case "--prometheus" -> form = only(form, Form.PROMETHEUS);
        case Traces.OPTION ->
            throw new IllegalArgumentException("--traces stands alone, with the file of a recording");
        case "--namespace" -> namespace = Optional.of(value(args, ++i));
        case "--run" -> run = Optional.of(Path.of(value(args, ++i)));
        default -> pid = OptionalLong.of(pid(args[i]));
      }
    }
    int choices = (namespace.isPresent() ? 1 : 0) + (run.isPresent() ? 1 : 0) + (pid.isPresent() ? 1 : 0);
    if (choices > 1) {
      throw new IllegalArgumentException("only one of --namespace, --run and PID");
    }
    return new InspectArguments(Path.of(args[0]), form, namespace, run, pid);
  }

  private static Form only(Form before, Form now) {
    if (before != Form.PAGE && before != now) {
      throw new IllegalArgumentException("only one of --json and --prometheus");
    }
    return now;
  }

  /**
   * What to say when no daemon was asked. {@code others} are those that run and were not meant: their namespaces when
   * a namespace was, else their pids.
   */
  String none(Set<String> others) {
    String what;
    if (run.isPresent()) {
      what = "no daemon runs in " + run.get() + "; without --run, all below " + directory + " are asked";
    } else if (others.isEmpty()) {
      what = "no daemon runs in " + directory
          + ", the run_dir of the settings; the first container of a namespace starts one";
    } else if (pid.isPresent()) {
      what = "process " + Long.toUnsignedString(pid.getAsLong()) + " is no daemon below " + directory
          + "; those that run: " + String.join(", ", others);
    } else {
      what = "no daemon runs for the namespace " + namespace.orElse("") + " below " + directory
          + "; those that run serve: " + String.join(", ", others);
    }
    return what;
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
