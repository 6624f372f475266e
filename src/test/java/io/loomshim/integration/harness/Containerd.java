package io.loomshim.integration.harness;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * A containerd of our own: its own root, state and sockets below one directory, so that it neither
 * sees nor disturbs another one. Used from the test's thread.
 */
public final class Containerd {
  public static final Path PROGRAM = Path.of(System.getProperty("loomshim.containerd", "/usr/bin/containerd"));
  private static final Pattern VERSION = Pattern.compile(" v?(\\d+)\\.(\\d+)\\.\\d+");
  private static final Duration START_MAX = Await.seconds(30);
  private static final Duration STOP_MAX = Await.seconds(15);

  private final Path directory;
  private final Path log;
  private Process process;
  private String first = ":";
  private Map<String, String> variables = Map.of();

  private Containerd(Path directory) {
    this.directory = directory;
    this.log = directory.resolve("containerd.log");
  }

  /** Starts a containerd below {@code directory} and returns when it answers. */
  public static Containerd start(Path directory) {
    return start(directory, """
          version = 2
          root = "%1$s/root"
          state = "%1$s/state"
          disabled_plugins = [
            "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
          [grpc]
            address = "%1$s/grpc"
          [ttrpc]
            address = "%1$s/ttrpc"
          [debug]
            level = "trace"
          """.formatted(directory));
  }

  /** The same with a configuration that has {@code grpc} and {@code ttrpc} of {@code directory} as its sockets. */
  public static Containerd start(Path directory, String configuration) {
    var containerd = new Containerd(directory);
    try {
      Files.writeString(directory.resolve("config.toml"), configuration);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    containerd.launch();
    return containerd;
  }

  public Path address() {
    return directory.resolve("grpc");
  }

  Path ttrpcAddress() {
    return directory.resolve("ttrpc");
  }

  /** The bundle of a container while its task exists. */
  public Path bundle(String namespace, String id) {
    return directory.resolve("state/io.containerd.runtime.v2.task").resolve(namespace).resolve(id);
  }

  public long pid() {
    return process.pid();
  }

  /** The last lines of its debug log, for messages. */
  public String logTail() {
    try {
      List<String> lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** All of its debug log. */
  public String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How many events of {@code topic} shims have forwarded for {@code namespace}, as its log tells; in 2 at trace. */
  public long forwarded(String namespace, String topic) {
    try {
      String wanted = "msg=\"event forwarded\" ns=" + namespace + " topic=" + topic + " ";
      return Files.readAllLines(log).stream().filter(line -> line.contains(wanted)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends it as a crash would; the shims stay. */
  public void crash() {
    process.destroyForcibly();
    awaitEnd();
  }

  /** Starts it again after {@link #crash} or {@link #stop}. */
  public void restart() {
    launch();
  }

  /**
   * Starts it again as the child of nobody but these: {@code words} of a shell, which sets limits and the like, and
   * {@code variables} of the environment.
   */
  public void restart(String words, Map<String, String> variables) {
    this.first = words;
    this.variables = variables;
    launch();
  }

  public void stop() {
    if (process.isAlive()) {
      process.destroy();
      awaitEnd();
    }
  }

  private void awaitEnd() {
    try {
      if (!process.waitFor(STOP_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
        throw new AssertionError("containerd did not end within " + STOP_MAX + "\n" + logTail());
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void launch() {
    var builder = new ProcessBuilder("sh", "-c", first + "; exec \"$@\"", "sh", PROGRAM.toString(), "--config",
        directory.resolve("config.toml").toString())
        .directory(directory.toFile()).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().put("PATH", path());
    builder.environment().putAll(variables);
    try {
      // containerd leaves a copy of each checkpoint that it has restored
      builder.environment().put("TMPDIR", Files.createDirectories(directory.resolve("tmp")).toString());
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    await("containerd answers").atMost(START_MAX).pollInterval(Duration.ofMillis(5)).until(this::answers);
  }

  /** Its version as {@code [1, 6]}, which is 1.6. */
  public static int[] version() {
    var result = Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()),
        List.of(PROGRAM.toString(), "--version")).await(Ctr.LIMIT).ok();
    var matcher = VERSION.matcher(result.text());
    if (!matcher.find()) {
      throw new AssertionError(result);
    }
    return new int[] {Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))};
  }

  /**
   * The PATH of containerd and of what it starts: our shim, if it is the one tested, before all others, then the
   * directories of system property {@code loomshim.path}, where another runc than the machine's may be.
   */
  public static String path() {
    String first = System.getProperty("loomshim.path", "");
    String path = (first.isEmpty() ? "" : first + ":") + System.getenv("PATH");
    String complete = path.contains("/usr/sbin") ? path : path + ":/usr/sbin:/usr/bin";
    String withCriu = Criu.directory().map(directory -> directory + ":" + complete).orElse(complete);
    return Shim.tested().ours() ? Install.get().bin() + ":" + withCriu : withCriu;
  }

  private boolean answers() {
    if (!process.isAlive()) {
      throw new AssertionError("containerd ended with " + process.exitValue() + "\n" + logTail());
    }
    return connects(address()) && connects(ttrpcAddress());
  }

  static boolean connects(Path socket) {
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      return false;
    }
  }
}
