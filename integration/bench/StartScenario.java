import java.io.IOException;
import java.util.List;

/**
 * The life of a container in its parts, without containerd between: the shim's {@code start}, Create, Start and Delete
 * by RPC, and its {@code delete}, which containerd calls after every container.
 */
final class StartScenario implements Scenario {
  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    var keepers = plan.keepers();
    var bare = new Bare(plan.site());
    for (int i = 0; i < plan.size().pick(2, 30, 100); i++) {
      for (Side side : plan.shims()) {
        life(plan, side);
      }
      if (plan.floor()) {
        plan.pause();
        List<Double> life = bare.life();
        plan.samples().add(Figure.RPC_CREATE, Side.FLOOR, life.get(0));
        plan.samples().add(Figure.RPC_START, Side.FLOOR, life.get(1));
        plan.samples().add(Figure.RPC_DELETE, Side.FLOOR, life.get(2));
        // what it takes us to start any program
        double nothing = plan.site().command().millis(List.of("/bin/true"));
        plan.samples().add(Figure.START, Side.FLOOR, nothing);
        plan.samples().add(Figure.DELETE, Side.FLOOR, nothing);
      }
    }
    plan.site().end(keepers);
  }

  private static void life(Plan plan, Side side) throws IOException, InterruptedException {
    Samples samples = plan.samples();
    try (Direct own = Direct.prepare(plan.site(), side)) {
      plan.pause();
      samples.add(Figure.START, side, own.startShim());
      try (Task task = own.connect(Task.LIMIT)) {
        plan.pause();
        samples.add(Figure.RPC_CREATE, side, millis(() -> task.create(own.bundle())));
        plan.pause();
        samples.add(Figure.RPC_START, side, millis(() -> task.start("")));
        task.kill("");
        task.await("");
        plan.pause();
        samples.add(Figure.RPC_DELETE, side, millis(() -> task.delete("")));
        samples.add(Figure.DELETE, side, own.deleteShim());
        task.shutdown();
      }
    }
  }

  private interface Step {
    void run() throws IOException, InterruptedException;
  }

  private static double millis(Step step) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    step.run();
    return (System.nanoTime() - begin) / 1e6;
  }
}
