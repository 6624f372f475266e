package io.loomshim.mount;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.process.Child;
import io.loomshim.process.Programs;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Mounts file systems that are programs (FUSE) with the helper that knows them, {@code mount.fuse3} for a type
 * {@code fuse3.NAME} and {@code mount.fuse} for {@code fuse.NAME} (mount.fuse3(8)). What the helper leaves running
 * serves the mount, falls to us as its subreaper, and ends with the mount: {@link Mounts#unmountAll} sees to it that it
 * is reaped.
 */
final class MountHelper {
  /** How long a helper may take to mount. */
  static final Duration WAIT_MAX = Duration.ofSeconds(30);

  /** Of its words, as much is kept. */
  private static final int OUTPUT_BYTES_MAX = 4096;

  private static final List<String> PREFIXES = List.of("fuse3.", "fuse.");

  private MountHelper() {}

  static boolean serves(String type) {
    return type.startsWith("fuse.") || type.startsWith("fuse3.");
  }

  /** The helper and its arguments. Pure. */
  static List<String> command(String type, String source, Path target, List<String> options) {
    String prefix = type.startsWith(PREFIXES.get(0)) ? PREFIXES.get(0) : PREFIXES.get(1);
    var command = new ArrayList<String>();
    command.add("mount." + prefix.substring(0, prefix.length() - 1));
    command.add(source);
    command.add(target.toString());
    for (String option : options) {
      command.add("-o");
      command.add(option);
    }
    command.add("-t");
    command.add(type.substring(prefix.length()));
    return command;
  }

  /**
   * Runs the helper to its end; what serves the mount may need any of {@code environment}, {@code NAME=value} each.
   *
   * @throws IOException {@code mount helper [PROGRAM [ARGUMENTS]] failed: "WORDS": exit status N}, as from containerd
   */
  static void mount(String type, String source, Path target, List<String> options, List<String> environment,
      Mounts.Watch watch) throws IOException, InterruptedException {
    List<String> command = command(type, source, target, options);
    try (Pipe pipe = Pipe.open();
        Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      pipe.reader().nonBlocking(true);
      var fds = List.of(nothing, pipe.writer(), pipe.writer());
      try (Child child = Spawner.spawn("start " + command.get(0), fds, () -> plan(command, environment))) {
        OptionalInt status = ended(child, watch.began(child));
        if (status.isEmpty() || status.getAsInt() != 0) {
          throw failed(command, words(pipe.reader()), status);
        }
      }
    }
  }

  private static Spawn plan(List<String> command, List<String> environment) throws IOException {
    Aside.stay(); // what it leaves running may look at who has started it
    var argv = new ArrayList<>(command);
    argv.set(0, find(command, environment));
    return new Spawn(argv, environment, Path.of("/"), List.of());
  }

  /** Its status; of one that has not ended in time, or is not waited for any longer, nothing stays. */
  private static OptionalInt ended(Child child, Runnable then) throws ErrnoException, InterruptedException {
    OptionalInt status = OptionalInt.empty();
    try {
      status = child.await(WAIT_MAX);
      return status;
    } finally {
      if (status.isEmpty()) {
        child.killGroup();
      }
      then.run();
    }
  }

  private static IOException failed(List<String> command, String words, OptionalInt status) {
    String why = "did not end within " + WAIT_MAX.toSeconds() + " s";
    if (status.isPresent()) {
      why = "exit status " + status.getAsInt();
    }
    return failed(command, words, why);
  }

  private static IOException failed(List<String> command, String words, String why) {
    String arguments = String.join(" ", command.subList(1, command.size()));
    return new IOException(
        "mount helper [" + command.get(0) + " [" + arguments + "]] failed: " + quoted(words) + ": " + why);
  }

  private static String quoted(String words) {
    var quoted = new StringBuilder("\"");
    for (int i = 0; i < words.length(); i++) {
      char c = words.charAt(i);
      switch (c) {
        case '\n' -> quoted.append("\\n");
        case '\t' -> quoted.append("\\t");
        case '\r' -> quoted.append("\\r");
        case '"', '\\' -> quoted.append('\\').append(c);
        default -> quoted.append(Character.isISOControl(c) ? '?' : c);
      }
    }
    return quoted.append('"').toString();
  }

  private static String find(List<String> command, List<String> environment) throws IOException {
    String program = command.get(0);
    var found = Programs.find(program, path(environment));
    if (found.isEmpty()) {
      throw failed(command, "", "exec: \"" + program + "\": executable file not found in $PATH");
    }
    return found.get().toString();
  }

  private static String path(List<String> environment) {
    for (String variable : environment) {
      if (variable.startsWith("PATH=")) {
        return variable.substring("PATH=".length());
      }
    }
    return "";
  }

  /** What the pipe holds now: a file system that stays would keep it open. */
  private static String words(Fd reader) throws IOException {
    byte[] buffer = new byte[OUTPUT_BYTES_MAX];
    int count = Math.max(0, reader.tryRead(buffer));
    return new String(buffer, 0, count, StandardCharsets.UTF_8);
  }
}
