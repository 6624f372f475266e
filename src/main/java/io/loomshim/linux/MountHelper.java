package io.loomshim.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Mounts file systems that are programs (FUSE) with the helper that knows them, {@code mount.fuse3} for a type
 * {@code fuse3.NAME} and {@code mount.fuse} for {@code fuse.NAME} (mount.fuse3(8)). What the helper leaves running
 * serves the mount and ends with it.
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
   * Runs the helper to its end.
   *
   * @throws IOException {@code mount helper [PROGRAM [ARGUMENTS]] failed: "WORDS"}
   */
  static void mount(String type, String source, Path target, List<String> options)
      throws IOException, InterruptedException {
    List<String> command = command(type, source, target, options);
    var argv = new ArrayList<>(command);
    argv.set(0, find(command.get(0)));
    try (Pipe pipe = Pipe.open();
        Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      pipe.reader().nonBlocking(true);
      boolean ended = false;
      var fds = List.of(nothing, pipe.writer(), pipe.writer());
      Child child = Spawner.spawn(new Spawn(argv, environment(), Path.of("/"), fds));
      try {
        var status = child.await(WAIT_MAX);
        ended = status.isPresent();
        if (!ended || status.getAsInt() != 0) {
          String words = ended ? words(pipe.reader()) : "no end within " + WAIT_MAX.toSeconds() + " s";
          List<String> arguments = command.subList(1, command.size());
          throw new IOException(
              "mount helper [" + argv.get(0) + " [" + String.join(" ", arguments) + "]] failed: \"" + words + "\"");
        }
      } finally {
        if (!ended) {
          child.close();
        }
      }
    }
  }

  private static String find(String program) throws IOException {
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
      Path file = Path.of(directory.isEmpty() ? "." : directory, program);
      if (Files.isExecutable(file)) {
        return file.toString();
      }
    }
    throw new IOException("exec: \"" + program + "\": executable file not found in $PATH");
  }

  private static List<String> environment() {
    return List.of("PATH=" + System.getenv().getOrDefault("PATH", ""));
  }

  /** What the pipe holds now: a file system that stays would keep it open. */
  private static String words(Fd reader) throws IOException {
    byte[] buffer = new byte[OUTPUT_BYTES_MAX];
    int count = Math.max(0, reader.tryRead(buffer));
    return new String(buffer, 0, count, StandardCharsets.UTF_8).strip();
  }
}
