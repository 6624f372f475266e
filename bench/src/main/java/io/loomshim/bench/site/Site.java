package io.loomshim.bench.site;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.proc.Proc;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The private containerd that bench.sh has started, and the containers on it. Everything has the scope's name in its
 * path or its arguments, so that bench.sh finds what is left when this program is killed. Any thread may call.
 */
public final class Site {
  /** How many of ctr run at once where only the result counts, not the time. */
  private static final int HELPERS = 4;

  /** Containers named in one command; ctr takes them one after another. */
  private static final int BATCH = 25;

  private static final String SLEEP = "/bin/sleep";

  private final Path scope;
  private final String namespace;
  private final Command command;
  private final AtomicInteger next = new AtomicInteger();
  private final ConcurrentLinkedQueue<String> running = new ConcurrentLinkedQueue<>();

  public Site(Path scope, String namespace) {
    this.scope = scope;
    this.namespace = namespace;
    this.command = new Command(scope, Map.of("TTRPC_ADDRESS", scope + "/containerd.sock.ttrpc"));
  }

  public Path scope() {
    return scope;
  }

  public Command command() {
    return command;
  }

  /** A name that no container has had yet. */
  public String id(String prefix) {
    return prefix + next.incrementAndGet();
  }

  /** A command line of ctr in our namespace. */
  public List<String> ctr(String... arguments) {
    return ctrIn(namespace, arguments);
  }

  private List<String> ctrIn(String where, String... arguments) {
    var line = new ArrayList<>(List.of("ctr", "--address", scope + "/containerd.sock", "-n", where));
    line.addAll(List.of(arguments));
    return line;
  }

  /** The command line of {@code ctr run --rm}, its FIFOs below the scope. */
  public List<String> runRemoved(Side side, String id, String... process) {
    return runRemoved(namespace, side, id, process);
  }

  private List<String> runRemoved(String where, Side side, String id, String... process) {
    var line = ctrIn(where, "run", "--rm", "--fifo-dir", scope + "/fifo");
    line.addAll(side.flags());
    line.addAll(List.of("--rootfs", scope + "/rootfs", id));
    line.addAll(List.of(process));
    return line;
  }

  /** Another namespace, where no daemon runs yet: {@code ctr run --rm} of {@code true} in it. */
  public List<String> runRemovedCold(Side side, String suffix) {
    return runRemoved(namespace + "-" + suffix, side, id("b"), "/bin/true");
  }

  /** Starts a container that sleeps, and returns its name. */
  public String sleeper(Side side) throws IOException, InterruptedException {
    String id = id("m");
    running.add(id);
    var line = ctr("run", "-d", "--null-io");
    line.addAll(side.flags());
    line.addAll(List.of("--rootfs", scope + "/rootfs", id, SLEEP, "100000"));
    command.millis(line);
    return id;
  }

  /** Starts {@code count} containers that sleep. */
  public List<String> sleepers(Side side, int count) throws IOException, InterruptedException {
    return atOnce(HELPERS, count, () -> sleeper(side));
  }

  /** Ends and removes these containers. */
  public void end(List<String> ids) throws IOException, InterruptedException {
    var batches = new ConcurrentLinkedQueue<List<String>>();
    for (int i = 0; i < ids.size(); i += BATCH) {
      batches.add(ids.subList(i, Math.min(ids.size(), i + BATCH)));
    }
    atOnce(HELPERS, batches.size(), () -> {
      var batch = batches.remove();
      // the status tells how the processes ended, too; what counts is that nothing is left
      command.run(with(ctr("task", "rm", "-f"), batch));
      command.run(with(ctr("container", "rm"), batch));
      return batch;
    });
    for (String id : ids) {
      if (Files.exists(state(id))) {
        command.run(ctr("task", "rm", "-f", id));
        command.run(ctr("container", "rm", id));
      }
      if (Files.exists(state(id))) {
        throw new IOException("container " + id + " does not end");
      }
      running.remove(id);
    }
  }

  /** Ends and removes every container that still runs. */
  public void endAll() throws IOException, InterruptedException {
    end(List.copyOf(running));
  }

  /** Runs {@code work} {@code count} times on {@code threads} threads; the first error is thrown after all ended. */
  public static <R> List<R> atOnce(int threads, int count, Callable<R> work) throws IOException, InterruptedException {
    try (var pool = Executors.newFixedThreadPool(threads)) {
      var futures = new ArrayList<Future<R>>();
      for (int i = 0; i < count; i++) {
        futures.add(pool.submit(work));
      }
      var results = new ArrayList<R>();
      for (Future<R> future : futures) {
        results.add(future.get());
      }
      return results;
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    }
  }

  private static List<String> with(List<String> line, List<String> more) {
    line.addAll(more);
    return line;
  }

  /** The socket of the shim that serves a container. */
  public Path socket(String id) throws IOException {
    return Path.of(Files.readString(state(id).resolve("address")).replace("unix://", "").strip());
  }

  /** The shim processes that serve the containers: the parents of their first processes. */
  public Set<Long> shims(List<String> ids) throws IOException {
    var pids = new LinkedHashSet<Long>();
    for (String id : ids) {
      pids.add(Proc.parent(Long.parseLong(Files.readString(state(id).resolve("init.pid")).strip())));
    }
    return pids;
  }

  /** The shim process that serves one container. */
  public long shim(String id) throws IOException {
    return shims(List.of(id)).iterator().next();
  }

  private Path state(String id) {
    return scope.resolve("state/io.containerd.runtime.v2.task").resolve(namespace).resolve(id);
  }

  // ------------------------------------------------------------------- without containerd's help

  /** The shim's own command line, as containerd would call it. */
  public List<String> shim(Side side, Path bundle, String action) {
    String id = bundle.getFileName().toString();
    var line = new ArrayList<>(List.of(side.program(), "-namespace", namespace, "-address",
        scope + "/containerd.sock", "-publish-binary", "/usr/bin/containerd", "-id", id));
    if (action.equals("delete")) {
      line.addAll(List.of("-bundle", bundle.toString()));
    }
    line.add(action);
    return line;
  }

  /** A bundle whose process runs {@code process}; its directory has the container's name. */
  public Path bundle(Side side, String... process) throws IOException, InterruptedException {
    Path bundle = Files.createDirectories(scope.resolve("bundles").resolve(id("d")));
    String config = Files.readString(scope.resolve("spec/config.json"))
        .replace("@ID@", bundle.getFileName().toString())
        .replace("@ARGS@", "\"" + String.join("\",\"", process) + "\"");
    if (side.grouped()) {
      String annotation = "\"" + Side.GROUP_ANNOTATION + "\": \"" + Side.GROUP_NAME + "\"";
      config = config.replaceFirst("\\{", "{\"annotations\": {" + annotation + "},");
    }
    Files.writeString(bundle.resolve("config.json"), config);
    Files.createDirectory(bundle.resolve("work"));
    fifo(bundle.resolve("log"));
    return bundle;
  }

  public Path fifo(Path path) throws IOException, InterruptedException {
    command.output(List.of("mkfifo", path.toString()));
    return path;
  }

  /** Removes a bundle. */
  public static void remove(Path directory) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (Files.isDirectory(file)) {
          remove(file);
        } else {
          Files.delete(file);
        }
      }
    }
    Files.delete(directory);
  }

  /** Another command whose programs run in {@code directory}. */
  public Command in(Path directory) {
    return new Command(directory, Map.of("TTRPC_ADDRESS", scope + "/containerd.sock.ttrpc"));
  }
}
