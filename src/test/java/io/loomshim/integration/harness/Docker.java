package io.loomshim.integration.harness;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A dockerd of our own on the containerd of a bed, with everything below one directory, without bridge and without
 * rules for packets; and the client that speaks to it. Used from the test's thread.
 */
public final class Docker implements AutoCloseable {
  /** What its image is called there. */
  public static final String IMAGE = "loomshim-test";

  /** Where dockerd and docker are: {@code LOOMSHIM_DOCKER} as {@code integration/test.sh} sets it, or the PATH. */
  private static final Optional<Path> PROGRAMS = find();
  private static final Duration START_MAX = Await.seconds(60);
  private static final Duration STOP_MAX = Await.seconds(30);
  /** Where dockerd makes a directory for plugins whatever its configuration says. */
  private static final Path PLUGINS = Path.of("/run/docker/plugins");

  private final Path directory;
  private final String namespace = Names.namespace();
  private final boolean pluginsThere = Files.exists(PLUGINS);
  private Process daemon;

  /** Starts it with runtimes of names of their own, as JSON of {@code daemon.json}. */
  public Docker(Bed bed, String runtimes) {
    directory = bed.directory().resolve("docker");
    try {
      Files.createDirectory(directory);
      Files.writeString(directory.resolve("daemon.json"), """
          {
            "hosts": ["unix://%1$s/sock"], "data-root": "%1$s/data", "exec-root": "%1$s/exec",
            "pidfile": "%1$s/pid", "containerd": "%2$s", "containerd-namespace": "%3$s",
            "cgroup-parent": "/%3$s", "storage-driver": "vfs",
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "bridge": "none", "iptables": false, "ip6tables": false, "ip-forward": false, "ip-masq": false,
            "userland-proxy": false, "live-restore": true, "runtimes": %4$s
          }
          """.formatted(directory, bed.containerd().address(), namespace, runtimes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    start();
    Path archive = directory.resolve("rootfs.tar");
    Exec.start(directory, new Exec.Setting(directory, Map.of()),
        List.of("tar", "-C", bed.rootfs().toString(), "-cf", archive.toString(), ".")).await(Ctr.LIMIT).ok();
    call("import", "--change", "ENV PATH=/bin", archive.toString(), IMAGE).ok();
  }

  private static Optional<Path> find() {
    var places = new ArrayList<String>();
    Optional.ofNullable(System.getenv("LOOMSHIM_DOCKER")).filter(s -> !s.isEmpty()).ifPresent(places::add);
    var cache = Optional.ofNullable(System.getenv("LOOMSHIM_CACHE")).orElse("/var/cache/loomshim");
    places.add(cache + "/docker-trixie/bin");
    places.addAll(List.of((System.getenv("PATH") + ":/usr/sbin").split(":")));
    return places.stream().map(Path::of).filter(place -> Files.isExecutable(place.resolve("dockerd"))).findFirst();
  }

  /** Skips the running test where there is no Docker. */
  public static void assumeItIsThere() {
    assumeTrue(PROGRAMS.isPresent(), "there is no dockerd; integration/test.sh fetches one");
  }

  private static String program(String name) {
    Path beside = PROGRAMS.orElseThrow().resolve(name);
    return Files.isExecutable(beside) ? beside.toString() : name;
  }

  /** Whether {@code info} is a dockerd of the tests. */
  static boolean isDaemon(Proc.Info info) {
    return PROGRAMS.isPresent() && info.commandLine().startsWith(program("dockerd") + " ");
  }

  private void start() {
    var builder = new ProcessBuilder(program("dockerd"), "--config-file", directory.resolve("daemon.json").toString(),
        // which the file calls by another name than dockerd accepts there
        "--containerd-plugins-namespace", namespace + "-plugins")
        .directory(directory.toFile()).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    builder.environment().put("PATH", PROGRAMS.orElseThrow() + ":" + Containerd.path());
    try {
      daemon = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (!Await.within(START_MAX, () -> !daemon.isAlive() || call("version").exit() == 0) || !daemon.isAlive()) {
      throw new AssertionError("dockerd does not answer\n" + logTail());
    }
  }

  private Path log() {
    return directory.resolve("dockerd.log");
  }

  private String logTail() {
    try (Stream<String> lines = Files.lines(log())) {
      var all = lines.toList();
      return String.join("\n", all.subList(Math.max(0, all.size() - 40), all.size()));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private void stop(boolean crash) {
    if (crash) {
      daemon.destroyForcibly();
    } else {
      daemon.destroy();
    }
    try {
      if (!daemon.waitFor(STOP_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
        daemon.destroyForcibly().waitFor();
        throw new AssertionError("dockerd did not end within " + STOP_MAX + "\n" + logTail());
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Ends dockerd as a crash would; its containers go on. */
  public void crash() {
    stop(true);
  }

  /** Starts it again after {@link #crash}. */
  public void restart() {
    start();
  }

  /** The containerd namespace of its containers. */
  public String namespace() {
    return namespace;
  }

  public Exec.Result call(String... arguments) {
    return begin(Exec.Setting.NO_STDIN, arguments).await(Ctr.LIMIT);
  }

  /** Starts the client and does not wait. */
  public Exec begin(Path stdin, String... arguments) {
    var command = new ArrayList<>(List.of(program("docker"), "--host", "unix://" + directory.resolve("sock")));
    command.addAll(List.of(arguments));
    return Exec.start(directory, new Exec.Setting(directory, environment(), stdin), command);
  }

  /** Starts the client on a terminal of its own; its stdin can be fed. */
  public Exec onTerminal(String arguments) {
    String line = "exec " + program("docker") + " --host unix://" + directory.resolve("sock") + " " + arguments;
    return Exec.start(directory, new Exec.Setting(directory, environment(), Exec.Setting.PIPE),
        List.of("script", "-qec", line, "/dev/null"));
  }

  private Map<String, String> environment() {
    return Map.of("DOCKER_CONFIG", directory.resolve("client").toString(), "SHELL", "/bin/sh");
  }

  /** Starts a container that goes on when the client has ended. */
  public String detached(String runtime, List<String> flags, String... command) {
    String name = Names.id("docker");
    var arguments = new ArrayList<>(List.of("run", "--detach", "--runtime", runtime, "--network", "none",
        "--name", name));
    arguments.addAll(flags);
    arguments.add(IMAGE);
    arguments.addAll(List.of(command));
    call(arguments.toArray(String[]::new)).ok();
    return name;
  }

  /** What {@code docker inspect} tells of a container by a template of Go. */
  public String inspect(String name, String template) {
    return call("inspect", "--format", template, name).ok().text().strip();
  }

  /** Waits until a template gives this of a container. */
  public void until(String name, String template, String value) {
    Await.until(template + " of " + name + " is " + value, () -> inspect(name, template).equals(value));
  }

  /** Removes a container, whatever state it is in. */
  public void remove(String name) {
    call("rm", "--force", name).ok();
  }

  /** Removes all containers and ends dockerd. */
  @Override
  public void close() {
    for (String id : call("ps", "--all", "--quiet").text().lines().toList()) {
      remove(id);
    }
    stop(false);
    // the network namespaces that it keeps for the next start
    for (String point : Mounts.below(directory.toString()).reversed()) {
      Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), List.of("umount", point))
          .await(Ctr.LIMIT).ok();
    }
    if (!pluginsThere && PLUGINS.toFile().delete()) {
      PLUGINS.getParent().toFile().delete();
    }
  }
}
