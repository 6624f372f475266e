package io.loomshim.integration.harness;

import com.google.protobuf.Any;
import io.loomshim.json.Json;
import io.loomshim.proto.runc.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A daemon that starts and deletes without runc where it can, or one that never does, and what can be seen of its
 * containers, in words that are the same for every container. Used by one thread.
 */
public final class NativeSide implements AutoCloseable {
  public static final String START = "start (native)";
  public static final String DELETE = "delete (native)";

  private static final Path HIERARCHIES = Path.of("/sys/fs/cgroup");

  private final OwnDaemon daemon;
  private final boolean natively;
  private final List<ShimClient> tasks = new ArrayList<>();
  private final Path root;

  public NativeSide(Path rootfs, boolean natively) {
    this(rootfs, natively, Names.RUNC_ROOT);
  }

  /** With containers in another root of runc. */
  public NativeSide(Path rootfs, boolean natively, Path root) {
    // a sealed copy of a runtime that only one test has would look like one that it has left
    this.daemon = new OwnDaemon(rootfs, Map.of("native_runc", Boolean.toString(natively), "sealed_runtime", "false"));
    this.natively = natively;
    this.root = root;
    var first = open("sleep", "1000");
    first.create();
    first.start();
    first.end();
    endTasks();
    // it is asked when its first container comes, and is known a moment later
    if (natively) {
      Await.until("the runtime has told its version", () -> used("--version") > 0);
    }
  }

  public boolean natively() {
    return natively;
  }

  public Shims shims() {
    return daemon.shims();
  }

  public OwnDaemon daemon() {
    return daemon;
  }

  public ShimClient open(String... command) {
    return open(shims().bundle(Names.id("native"), command));
  }

  public ShimClient open(Bundle bundle) {
    tasks.add(daemon.open(bundle));
    return tasks.getLast();
  }

  /** A container whose config.json has {@code to} in the place of {@code from}. */
  public ShimClient openWith(String from, String to, String... command) {
    var bundle = shims().bundle(Names.id("native"), command);
    Path config = bundle.path().resolve("config.json");
    try {
      String text = Files.readString(config);
      if (!text.contains(from)) {
        throw new AssertionError("no " + from);
      }
      Files.writeString(config, text.replace(from, to));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return open(bundle);
  }

  /** What makes this root of runc the container's, and {@code binary} its runtime unless that is empty. */
  public Any options(String binary) {
    var options = Options.newBuilder().setBinaryName(binary);
    if (!root.equals(Names.RUNC_ROOT)) {
      options.setRoot(root.toString());
    }
    return Shims.any("containerd.runc.v1.Options", options.build());
  }

  /** How often the daemon has done {@code command} with success. */
  public long used(String command) {
    var commands = Inspect.list(Inspect.object(Json.write(
        Inspect.report(daemon.pid()).get("latencies"))), "commands");
    for (var row : commands) {
      if (row.get("command").equals(command)) {
        return Inspect.number(row, "count") - Inspect.number(row, "failed");
      }
    }
    return 0;
  }

  /** Runs a command of the runtime by hand: its status and its words. */
  public String runc(ShimClient task, String... arguments) {
    var command = new ArrayList<>(List.of("env", OciRuntime.program(), "--root",
        root.resolve(shims().namespace()).toString()));
    command.addAll(List.of(arguments));
    var setting = new Exec.Setting(daemon.directory(), Map.of("PATH", Containerd.path()));
    var result = Exec.start(daemon.directory(), setting, command).await(Await.LIMIT);
    return plain(task, arguments[0] + " " + result.exit() + " " + result.text() + result.errors());
  }

  /** All that can be seen of a container without changing it. */
  public List<String> view(ShimClient task) {
    var seen = new ArrayList<String>();
    seen.add("task " + ShimClient.error(() -> task.state("").getStatus()));
    seen.add("pids " + ShimClient.error(() -> task.pids().getProcessesCount()));
    seen.addAll(directory(task));
    seen.addAll(cgroups(task));
    seen.add(runc(task, "state", task.id()));
    seen.add(runc(task, "list", "--format", "json"));
    seen.add(runc(task, "ps", "--format", "json", task.id()));
    return seen;
  }

  private List<String> directory(ShimClient task) {
    Path directory = root.resolve(shims().namespace()).resolve(task.id());
    var seen = new ArrayList<String>();
    try (Stream<Path> files = Files.exists(directory) ? Files.list(directory) : Stream.empty()) {
      for (Path file : files.sorted().toList()) {
        String content = Files.isRegularFile(file) ? Files.readString(file) : "no file";
        seen.add(plain(task, "file " + file.getFileName() + " " + Files.getPosixFilePermissions(file) + " " + content));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return seen;
  }

  /** In each hierarchy, how many processes its cgroup has. */
  private List<String> cgroups(ShimClient task) {
    var seen = new ArrayList<String>();
    try (Stream<Path> hierarchies = Shim.UNIFIED ? Stream.of(HIERARCHIES) : Files.list(HIERARCHIES)) {
      for (Path hierarchy : hierarchies.sorted().toList()) {
        Path cgroup = cgroup(hierarchy, task);
        if (Files.exists(cgroup)) {
          seen.add("cgroup " + hierarchy + " "
              + Files.readAllLines(cgroup.resolve("cgroup.procs")).size());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return seen;
  }

  private Path cgroup(Path hierarchy, ShimClient task) {
    return hierarchy.resolve(shims().namespace()).resolve(task.id());
  }

  /** A cgroup of the container in which a process can be put, and which keeps it. */
  public Path anyCgroup(ShimClient task) {
    return cgroup(Shim.UNIFIED ? HIERARCHIES : HIERARCHIES.resolve("pids"), task);
  }

  /** The container's events so far. */
  public List<String> events(ShimClient task, String last) {
    return shims().sink().until(shims().namespace(), task.id(), last).stream()
        .map(e -> e.topic() + " " + e.status() + " " + (e.pid() > 0)).toList();
  }

  /** Without what differs between two containers. */
  private String plain(ShimClient task, String text) {
    return text.replace(task.id(), "ID").replace(shims().namespace(), "NS")
        .replaceAll("(native|said)-\\d+", "$1")
        .replaceAll("/native|" + Pattern.quote(Scratch.BASE.toString()) + "/[a-z]+\\d+", "BASE")
        .replaceAll("\"(pid|init_process_pid)\": ?\\d+", "\"$1\":PID").replaceAll("/proc/\\d+/", "/proc/PID/")
        .replaceAll("\"init_process_start\":\\d+", "START").replaceAll("pipe:\\[\\d+]", "pipe")
        .replaceAll("\"created\": ?\"[^\"]*\"", "CREATED").replaceAll("\\[\\d+(,\\d+)*]\\s*$", "PIDS")
        .replaceAll("time=\"[^\"]*\"", "TIME");
  }

  /** Whether {@code command} is under way, by a process or without. */
  public boolean runs(String command) {
    return Inspect.list(Inspect.report(daemon.pid()), "commands").stream()
        .anyMatch(row -> row.get("command").toString().startsWith(command));
  }

  /** What runc and the kernel have of a container. */
  public List<String> left(ShimClient task) {
    var left = directory(task);
    left.addAll(cgroups(task));
    return left;
  }

  /** Ends the containers of one test. */
  public void endTasks() {
    tasks.forEach(ShimClient::close);
    tasks.clear();
  }

  public static Optional<String> notRunc() {
    return OciRuntime.version().startsWith("runc version ") ? Optional.empty() : Optional.of("the runtime is no runc");
  }

  @Override
  public void close() {
    endTasks();
    daemon.close();
  }
}
