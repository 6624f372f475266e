import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Processes that are added to a container and end at once, as probes do: time, and processor time. */
final class ExecScenario implements Scenario {
  /** A side that has taken this long for so many at once gives no more samples: the Go shims take a minute for 50. */
  private static final double MILLIS_MAX = 20_000;

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    Site site = plan.site();
    Map<Side, String> ids = plan.sleepers();
    var bare = new Bare(site);
    Path floor = bare.sleeper();
    oneAfterAnother(plan, ids, bare, floor);
    for (int atOnce : plan.size() == Size.FULL ? new int[] {20, 50} : new int[] {plan.size().pick(4, 20, 50)}) {
      manyAtOnce(plan, ids, bare, floor, atOnce);
    }
    processorTime(plan, ids, bare, floor);
    bare.end(floor);
    site.endAll();
  }

  private static void oneAfterAnother(Plan plan, Map<Side, String> ids, Bare bare, Path floor)
      throws IOException, InterruptedException {
    Site site = plan.site();
    for (int i = 0; i < plan.size().commands(); i++) {
      for (Side side : plan.shims()) {
        String id = ids.get(side);
        var line = site.ctr("task", "exec", "--fifo-dir", site.scope() + "/fifo", "--exec-id", site.id("e"), id,
            "/bin/true");
        plan.pause();
        plan.samples().add(Figure.EXEC_CTR, side, site.command().millis(line));
        try (Task task = Task.connect(site.socket(id), id)) {
          plan.pause();
          plan.samples().add(Figure.EXEC_RPC, side, batch(site, task, 1, 1));
        }
      }
      if (plan.floor()) {
        plan.pause();
        plan.samples().add(Figure.EXEC_RPC, Side.FLOOR, site.command().millis(bare.exec(floor, "/bin/true")));
      }
    }
  }

  private static void manyAtOnce(Plan plan, Map<Side, String> ids, Bare bare, Path floor, int atOnce)
      throws IOException, InterruptedException {
    Site site = plan.site();
    var spent = new LinkedHashMap<Side, Double>();
    for (int i = 0; i < plan.size().pick(1, 3, 5); i++) {
      for (Side side : plan.shims()) {
        if (spent.getOrDefault(side, 0.0) > MILLIS_MAX) {
          continue;
        }
        try (Task task = Task.connect(site.socket(ids.get(side)), ids.get(side))) {
          double millis = batch(site, task, atOnce, atOnce);
          spent.merge(side, millis, Double::sum);
          plan.samples().add(Figure.EXEC_MANY, atOnce, side, millis / atOnce);
        }
      }
      if (plan.floor()) {
        long begin = System.nanoTime();
        Site.atOnce(atOnce, atOnce, () -> site.command().millis(bare.exec(floor, "/bin/true")));
        plan.samples().add(Figure.EXEC_MANY, atOnce, Side.FLOOR, (System.nanoTime() - begin) / 1e6 / atOnce);
      }
    }
  }

  /** The processes themselves, and runc, count as children of the shim, which waits for them. */
  private static void processorTime(Plan plan, Map<Side, String> ids, Bare bare, Path floor)
      throws IOException, InterruptedException {
    Site site = plan.site();
    int count = plan.size().pick(10, 100, 200);
    for (int round = 0; round < plan.size().pick(1, 2, 3); round++) {
      for (Side side : plan.shims()) {
        long shim = site.shim(ids.get(side));
        try (Task task = Task.connect(site.socket(ids.get(side)), ids.get(side))) {
          Proc.Cpu before = Proc.cpu(shim);
          batch(site, task, 1, count);
          Proc.Cpu used = Proc.cpu(shim).since(before);
          plan.samples().add(Figure.EXEC_CPU, side, used.all() * 1000 / count);
          plan.samples().add(Figure.EXEC_CPU_OWN, side, used.own() * 1000 / count);
        }
      }
      if (plan.floor()) {
        Proc.Cpu before = Proc.cpu(ProcessHandle.current().pid());
        for (int i = 0; i < count; i++) {
          site.command().millis(bare.exec(floor, "/bin/true"));
        }
        double used = Proc.cpu(ProcessHandle.current().pid()).since(before).children();
        plan.samples().add(Figure.EXEC_CPU, Side.FLOOR, used * 1000 / count);
      }
    }
  }

  /** Milliseconds of {@code count} execs of {@code true} through one connection, {@code atOnce} at a time. */
  private static double batch(Site site, Task task, int atOnce, int count) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    if (atOnce == 1) {
      for (int i = 0; i < count; i++) {
        task.execTrue(site.id("e"));
      }
    } else {
      Site.atOnce(atOnce, count, () -> {
        task.execTrue(site.id("e"));
        return count;
      });
    }
    return (System.nanoTime() - begin) / 1e6;
  }
}
