package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Our shim, installed once per JVM into a temporary prefix by the same script that a user runs.
 * The daemons that were started from it are found by their files in the run directory.
 */
public final class Install {
  private static final Path SCRIPT = Path.of("packaging", "install.sh");
  private static final Duration INSTALL_MAX = Duration.ofMinutes(2);

  /** True when the daemons record pinned virtual threads. */
  public static final boolean JFR = Boolean.getBoolean("loomshim.jfr");

  private static final class Holder {
    static final Install INSTANCE = new Install(Scratch.directory("install"));
  }

  /** A daemon that serves a namespace: what its file in the run directory says. */
  public record Daemon(Path directory, long pid, long startTicks, String address) {
    public boolean alive() {
      return Proc.info(pid).filter(info -> !info.zombie() && info.startTicks() == startTicks).isPresent();
    }
  }

  private final Path prefix;
  private final Path runDirectory;

  private Install(Path scratch) {
    prefix = scratch.resolve("prefix");
    runDirectory = Scratch.directory("r"); // short, because sockets are in it
    if (!Files.exists(SCRIPT)) {
      throw new AssertionError(SCRIPT.toAbsolutePath() + " is missing");
    }
    Exec.start(scratch, new Exec.Setting(Path.of("").toAbsolutePath(), Map.of("JAVA_HOME", jdk())),
        List.of("sh", SCRIPT.toString(), "--prefix", prefix.toString())).await(INSTALL_MAX).ok();
    configure(settings());
  }

  public static Install get() {
    return Holder.INSTANCE;
  }

  /** The home of the JDK that runs the daemons. */
  public static String jdk() {
    return System.getProperty("loomshim.jdk", System.getProperty("java.home"));
  }

  /** The directory that belongs first on the PATH of containerd. */
  public Path bin() {
    return prefix.resolve("bin");
  }

  Path runDirectory() {
    return runDirectory;
  }

  /** The settings that all daemons of the tests have; a copy that may be changed. */
  public TreeMap<String, String> settings() {
    var settings = new TreeMap<String, String>();
    settings.put("run_dir", runDirectory.toString());
    settings.put("linger_seconds", "60");
    settings.put("mode", "namespace");
    settings.put("task_api", System.getProperty("loomshim.task_api", "auto"));
    settings.put("native_runc", System.getProperty("loomshim.native_runc", "true"));
    if (JFR) {
      settings.put("java_options", String.join(" ", Pinning.javaOptions()));
    }
    return settings;
  }

  /**
   * Makes {@code settings} count for daemons that start from now on. Values may have blanks, but no quotes then; an
   * empty one takes the setting away.
   */
  public void configure(Map<String, String> settings) {
    Path file = prefix.resolve("etc/loomshim.conf");
    try {
      var lines = new ArrayList<String>();
      if (Files.exists(file)) {
        for (String line : Files.readAllLines(file)) {
          if (!settings.containsKey(line.split("=", 2)[0].strip())) {
            lines.add(line);
          }
        }
      }
      settings.forEach((name, value) -> {
        if (!value.isEmpty()) {
          lines.add(name + "=" + (value.contains(" ") ? "'" + value + "'" : value));
        }
      });
      Files.createDirectories(file.getParent());
      Files.write(file, lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The daemons that live at this moment. */
  public List<Daemon> daemons() {
    var found = new ArrayList<Daemon>();
    String[] keys = runDirectory.toFile().list();
    for (String key : keys == null ? new String[0] : keys) {
      daemon(runDirectory.resolve(key)).filter(Daemon::alive).ifPresent(found::add);
    }
    return found;
  }

  /** The daemon that listens on {@code socket}, wherever its run directory is. */
  public Daemon daemonOf(Path socket, long pid) {
    long started = Proc.info(pid).orElseThrow().startTicks();
    return new Daemon(socket.getParent(), pid, started, "unix://" + socket);
  }

  private static Optional<Daemon> daemon(Path directory) {
    try {
      String[] words = Files.readString(directory.resolve("daemon")).strip().split("\\s+");
      return Optional.of(new Daemon(directory, Long.parseLong(words[0]), Long.parseLong(words[1]), words[2]));
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }
}
