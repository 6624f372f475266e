import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
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
    Site site = plan.site();
    Samples samples = plan.samples();
    Path bundle = site.bundle(side, "/bin/sleep", "100000");
    String id = bundle.getFileName().toString();
    Command command = site.in(bundle);
    // containerd keeps the shim's log open for reading and writing
    try (var log = new RandomAccessFile(bundle.resolve("log").toFile(), "rw")) {
      assert log.getFD().valid();
      samples.add(Figure.START, side, command.millis(site.shim(side, bundle, "start")));
      Path socket = Path.of(Files.readString(bundle.resolve("address")).replace("unix://", "").strip());
      try (Task task = Task.connect(socket, id)) {
        samples.add(Figure.RPC_CREATE, side, millis(() -> task.create(bundle)));
        samples.add(Figure.RPC_START, side, millis(() -> task.start("")));
        task.kill("");
        task.await("");
        samples.add(Figure.RPC_DELETE, side, millis(() -> task.delete("")));
        samples.add(Figure.DELETE, side, command.millis(site.shim(side, bundle, "delete")));
        task.shutdown();
      }
      if (!side.shared()) {
        Files.deleteIfExists(socket); // containerd's part
      }
    }
    Site.remove(bundle);
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
