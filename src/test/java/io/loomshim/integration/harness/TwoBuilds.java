package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An installation of its own, to which install.sh brings one of two builds, with settings and daemons of its own. Used
 * by the test's thread; {@link #close} ends the daemons.
 */
public final class TwoBuilds implements AutoCloseable {
  private static final Path SCRIPT = Path.of("packaging", "install.sh").toAbsolutePath();
  private static final Path DISTRIBUTION = Path.of("target", "loomshim").toAbsolutePath();
  private static final Duration INSTALL_MAX = Duration.ofMinutes(2);

  private final Path directory = Scratch.directory("two");
  private final Path prefix = directory.resolve("p");
  private final Path run = directory.resolve("r");
  private final TreeMap<String, String> settings = new TreeMap<>();
  private final Shims shims;

  /** The first build is installed. */
  public TwoBuilds(Path rootfs, Map<String, String> settings) {
    try {
      Path program = prefix.resolve("bin/containerd-shim-loom-v1");
      // the program that would be run is $0
      shims = new Shims(directory.resolve("s"), rootfs, List.of("sh", "-c", "exec " + program + " \"$@\""));
      Files.createDirectories(prefix.resolve("etc"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.settings.putAll(Map.of("run_dir", run.toString(), "linger_seconds", "60"));
    configure(settings);
    first();
  }

  /** Changes settings. */
  public void configure(Map<String, String> more) {
    settings.putAll(more);
    var lines = new ArrayList<String>();
    settings.forEach((name, value) -> lines.add(name + "='" + value + "'"));
    try {
      Files.write(prefix.resolve("etc/loomshim.conf"), lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Installs the build that the other tests have too; what install.sh says. */
  public String first() {
    return install(DISTRIBUTION);
  }

  /** Installs another one, which differs by its version; what install.sh says. */
  public String second() {
    Path copy = directory.resolve("second");
    if (!Files.exists(copy)) {
      command(Map.of(), "cp", "-a", DISTRIBUTION.toString(), copy.toString()).ok();
      try {
        Files.writeString(copy.resolve("lib/version"), "version=9.9.9\nrevision=0123456789ab\n");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return install(copy);
  }

  private String install(Path distribution) {
    return command(Map.of(), "sh", SCRIPT.toString(), "--prefix", prefix.toString(), "--dist",
        distribution.toString(), "--java", Install.jdk() + "/bin/java", "--no-archive").ok().text();
  }

  /** The name of the build that is installed. */
  public String build() {
    try {
      return Files.readSymbolicLink(prefix.resolve("lib/loomshim/current")).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the files of the build are there. */
  public boolean has(String build) {
    return Files.exists(prefix.resolve("lib/loomshim").resolve(build));
  }

  /** Runs the command {@code upgrade}. */
  public Exec.Result upgrade(String... arguments) {
    return beginUpgrade(arguments).await(INSTALL_MAX);
  }

  /** The same, not waited for. */
  public Exec beginUpgrade(String... arguments) {
    var words = new ArrayList<>(List.of(prefix.resolve("bin/containerd-shim-loom-v1").toString(), "upgrade"));
    words.addAll(List.of(arguments));
    return Exec.start(directory, new Exec.Setting(directory, Map.of()), words);
  }

  /** Runs {@code install.sh --uninstall}. */
  public Exec.Result uninstall() {
    return command(Map.of(), "sh", SCRIPT.toString(), "--uninstall", "--prefix", prefix.toString());
  }

  private Exec.Result command(Map<String, String> environment, String... words) {
    return Exec.start(directory, new Exec.Setting(directory, environment), List.of(words)).await(INSTALL_MAX);
  }

  public Shims shims() {
    return shims;
  }

  public Path directory() {
    return directory;
  }

  /** Connects for a container that is to be created. */
  public ShimClient open(Bundle bundle) {
    return shims.start(Shim.tested(), bundle);
  }

  public ShimClient open(String... command) {
    return open(shims.bundle(Names.id("two"), command));
  }

  /** A container that runs. */
  public ShimClient running(String... command) {
    var task = open(command);
    task.create();
    task.start();
    return task;
  }

  /** The run directories, without their other names. */
  public List<Path> runs() {
    var found = new ArrayList<Path>();
    for (Path path : entries()) {
      if (path.getFileName().toString().contains("@") && !Files.isSymbolicLink(path)) {
        found.add(path);
      }
    }
    return found;
  }

  /** What is in the parent of the run directories. */
  public List<Path> entries() {
    var found = new ArrayList<Path>();
    if (Files.exists(run)) {
      try (DirectoryStream<Path> stream = Files.newDirectoryStream(run)) {
        stream.forEach(found::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return found;
  }

  /** The only run directory. */
  public Path only() {
    var all = runs();
    if (all.size() != 1) {
      throw new AssertionError(all.toString());
    }
    return all.getFirst();
  }

  /** The process in the first word of a file of the only run directory: {@code daemon} or {@code holder}. */
  public long process(String file) {
    return process(only().resolve(file));
  }

  private static long process(Path file) {
    try {
      return Long.parseLong(Files.readString(file).split(" ")[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The only daemon. */
  public long daemon() {
    return process("daemon");
  }

  /** Its command line. */
  public String commandLine() {
    return Proc.info(daemon()).orElseThrow().commandLine();
  }

  @Override
  public void close() {
    for (Path one : runs()) {
      if (Files.exists(one.resolve("daemon"))) {
        long pid = process(one.resolve("daemon"));
        Proc.terminate(pid);
        if (!Await.within(Await.LIMIT, () -> !Proc.alive(pid))) {
          Proc.kill(pid);
        }
      }
    }
    shims.close();
    Names.forget(directory.resolve("s/grpc"));
    Scratch.remove(directory);
  }
}
