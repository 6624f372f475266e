package io.loomshim.bench.soak;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.site.Command;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps one daemon busy for long and looks at what it holds: containers are created, asked, given execs, ended and
 * deleted, several at a time, while others stay. Between rounds nothing is under way; that is when a
 * {@link SoakSample} is taken. Fails when something that must be flat is not ({@link SoakVerdict}).
 *
 * <p>Arguments: the scope directory, the namespace, the directory for the results, the {@code java} of the daemon,
 * {@code cycles} or {@code minutes}, and how many.
 */
final class Soak {
  /** Containers that stay for the whole time. */
  private static final int STAYING = 10;

  /** Cycles at once: enough to keep two processors busy. */
  private static final int WORKERS = 4;

  /** State calls in a cycle. */
  private static final int STATES = 10;

  /** Points of the plot. */
  private static final int SAMPLES = 40;

  /** Cycles before the first sample: what the daemon loads and keeps for good is loaded then. */
  private static final int WARM_UP = 60;

  /** Cycles between two looks at the clock. */
  private static final int STEP = 20;

  private final Site site;
  private final AtomicInteger cycles = new AtomicInteger();
  private final AtomicLong states = new AtomicLong();
  private final AtomicLong execs = new AtomicLong();

  private Soak(Site site) {
    this.site = site;
  }

  public static void main(String[] args) throws Exception {
    Path results = Path.of(args[2]);
    var soak = new Soak(new Site(Path.of(args[0]), args[1]));
    long amount = Long.parseLong(args[5]);
    long began = System.nanoTime();
    List<SoakSample> samples = soak.run(Path.of(args[3]), args[4].equals("cycles"), amount, results);
    String what = "%d create-to-delete cycles, %d State calls, %d execs in %d s".formatted(soak.cycles.get(),
        soak.states.get(), soak.execs.get(), TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began));
    Files.writeString(results.resolve("soak.svg"), SoakPlot.draw(what, samples));
    Files.writeString(results.resolve("soak.txt"), what + "\n");
    System.out.println(what);
    List<String> problems = SoakVerdict.problems(samples);
    problems.forEach(problem -> System.out.println("not flat: " + problem));
    System.exit(problems.isEmpty() ? 0 : 1);
  }

  /** Works for {@code amount} cycles or minutes; every sample goes to the file at once. */
  private List<SoakSample> run(Path java, boolean counted, long amount, Path results) throws Exception {
    List<String> staying = site.sleepers(Side.LOOM, STAYING);
    long daemon = site.shim(staying.getFirst());
    round(WARM_UP);
    cycles.set(0);
    states.set(0);
    execs.set(0);
    var samples = new ArrayList<SoakSample>();
    Path csv = results.resolve("soak.csv");
    Files.writeString(csv, SoakSample.HEADER + "\n");
    long begin = System.nanoTime();
    long whole = counted ? amount : TimeUnit.MINUTES.toNanos(amount);
    for (int i = 0; i <= SAMPLES; i++) {
      long until = whole * i / SAMPLES;
      while ((counted ? cycles.get() : System.nanoTime() - begin) < until) {
        round(counted ? (int) Math.min(until - cycles.get(), 10L * STEP) : STEP);
      }
      long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin);
      var sample = SoakSample.take(site, java, daemon, cycles.get(), seconds);
      samples.add(sample);
      Files.writeString(csv, sample.line() + "\n", StandardOpenOption.APPEND);
      System.out.println("  " + sample.line());
    }
    for (String id : staying) {
      try (Task task = Task.connect(site.socket(id), id)) {
        task.execTrue("last");
      }
    }
    site.endAll();
    return samples;
  }

  private void round(int count) throws IOException, InterruptedException {
    Site.atOnce(WORKERS, count, () -> {
      cycle();
      return "";
    });
  }

  /** One container from start to delete: every second one runs to its end, the others take an exec and are killed. */
  private void cycle() throws IOException, InterruptedException {
    boolean killed = cycles.incrementAndGet() % 2 == 0;
    Path bundle = killed ? site.bundle(Side.LOOM, "/bin/sleep", "1000") : site.bundle(Side.LOOM, "/bin/true");
    String id = bundle.getFileName().toString();
    Command command = site.in(bundle);
    String address = command.output(site.shim(Side.LOOM, bundle, "start"));
    try (Task task = Task.connect(Path.of(address.strip().replace("unix://", "")), id)) {
      task.create(bundle);
      task.start("");
      if (killed) {
        task.execTrue("e");
        execs.incrementAndGet();
      }
      for (int i = 0; i < STATES; i++) {
        task.state();
        states.incrementAndGet();
      }
      if (killed) {
        task.kill("");
      }
      int status = task.await("");
      if (status != (killed ? 128 + Task.SIGKILL : 0)) {
        throw new IOException(id + " ended with " + status);
      }
      task.delete("");
    }
    command.output(site.shim(Side.LOOM, bundle, "delete"));
    Site.remove(bundle);
  }
}
