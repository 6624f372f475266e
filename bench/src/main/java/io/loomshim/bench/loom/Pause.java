package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.scenario.Plan;
import io.loomshim.bench.site.Direct;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * The pause that clients see when a daemon with {@code take_over} is killed: from SIGKILL to the answer to a State, on
 * a connection that was there before, beside containers that each have a connection and a Wait, as containerd has.
 *
 * <p>Arguments: the scope directory, the namespace, the side, its run directory, how often it is killed, and the
 * numbers of containers.
 */
public final class Pause {
  private static final int HELPERS = 4;

  /** Between a pause and the next kill: the daemon has done all that it does after its start. */
  private static final int SETTLE_SECONDS = 3;

  private static final int END_SECONDS_MAX = 30;

  private final Site site;
  private final Side side;
  private final Path runDirectory;
  private final ConcurrentLinkedQueue<Direct> containers = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Task> tasks = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> ended = new ConcurrentLinkedQueue<>();
  private volatile boolean ending;

  private Pause(Site site, Side side, Path runDirectory) {
    this.site = site;
    this.side = side;
    this.runDirectory = runDirectory;
  }

  public static void main(String[] args) throws Exception {
    var pause = new Pause(new Site(Path.of(args[0]), args[1]), Side.of(args[2]), Path.of(args[3]));
    int kills = Integer.parseInt(args[4]);
    var table = new StringBuilder("| containers | p50 | from | to |\n|---|---|---|---|\n");
    try {
      for (int i = 5; i < args.length; i++) {
        int count = Integer.parseInt(args[i]);
        pause.grow(count);
        List<Double> millis = pause.kill(kills);
        table.append(String.format(Locale.ROOT, "| %d | %.0f ms | %.0f ms | %.0f ms |%n", count,
            millis.get(millis.size() / 2), millis.getFirst(), millis.getLast()));
      }
    } finally {
      pause.end();
    }
    System.out.print(table);
  }

  private void grow(int count) throws IOException, InterruptedException {
    Plan.say("  " + count + " containers");
    Site.atOnce(HELPERS, count - containers.size(), () -> {
      Direct container = Direct.prepare(site, side);
      container.startShim();
      Task task = container.connect(Task.LIMIT);
      task.create(container.bundle());
      task.start("");
      containers.add(container);
      tasks.add(task);
      Thread.startVirtualThread(() -> awaitEnd(container));
      return count;
    });
  }

  private void awaitEnd(Direct container) {
    try (Task task = container.connect(Duration.ofDays(1))) {
      int status = task.await("");
      if (!ending) {
        ended.add(container.id() + " has ended with " + status);
      }
    } catch (IOException | InterruptedException e) {
      ended.add(container.id() + ": " + e);
    }
  }

  /** The milliseconds of each pause, in their order of length. */
  private List<Double> kill(int times) throws IOException, InterruptedException {
    var millis = new ArrayList<Double>();
    for (int i = 0; i < times; i++) {
      TimeUnit.SECONDS.sleep(SETTLE_SECONDS);
      ProcessHandle daemon = ProcessHandle.of(daemon()).orElseThrow();
      long from = System.nanoTime();
      daemon.destroyForcibly();
      tasks.element().state();
      millis.add((System.nanoTime() - from) / 1e6);
      if (!ended.isEmpty()) {
        throw new IOException("a container did not survive: " + ended.element());
      }
    }
    millis.sort(null);
    return millis;
  }

  private long daemon() throws IOException {
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(runDirectory, "*@*")) {
      for (Path directory : directories) {
        return Long.parseLong(Files.readString(directory.resolve("daemon")).split(" ")[0]);
      }
    }
    throw new IOException("no daemon in " + runDirectory);
  }

  private void end() throws IOException, InterruptedException {
    ending = true;
    var left = new ConcurrentLinkedQueue<>(tasks);
    Site.atOnce(HELPERS, left.size(), () -> {
      try (Task task = left.remove()) {
        task.kill("");
        task.await("");
        task.delete("");
      }
      return 0;
    });
    for (Direct container : containers) {
      container.close();
    }
    awaitDaemon();
  }

  private void awaitDaemon() throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS_MAX);
    boolean there = true;
    while (there && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(50);
      try {
        there = ProcessHandle.of(daemon()).isPresent();
      } catch (IOException e) {
        there = false; // it has withdrawn its record
      }
    }
  }
}
