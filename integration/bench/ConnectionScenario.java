import io.loomshim.proto.task.StateRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * State on many connections to one shim at once, each with one call in flight: calls per second and the 99th
 * percentile. One thread serves all connections of this side, so that it takes little of the machine from the shim.
 */
final class ConnectionScenario implements Scenario {
  private static final int[] CONNECTIONS = {1, 50, 500};

  /** Milliseconds before the first call that counts. */
  private static final int WARM_UP = 300;

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    Site site = plan.site();
    Map<Side, String> ids = plan.sleepers();
    int millis = plan.size().pick(100, 1000, 1500);
    for (int round = 0; round < plan.size().pick(1, 3, 5); round++) {
      for (int count : CONNECTIONS) {
        for (Map.Entry<Side, String> each : ids.entrySet()) {
          var load = new Load(site.socket(each.getValue()), each.getValue(), count, millis);
          Spread micros = load.run();
          plan.samples().add(Figure.CONN_RATE, count, each.getKey(), micros.count() * 1000.0 / millis);
          plan.samples().add(Figure.CONN_TAIL, count, each.getKey(), micros.at(0.99));
        }
      }
    }
    for (Map.Entry<Side, String> each : ids.entrySet()) {
      long shim = site.shim(each.getValue());
      plan.samples().add(Figure.PSS_AFTER, each.getKey(), Proc.number(shim, "smaps_rollup", "Pss:") / 1024.0);
    }
    site.endAll();
  }

  /** One measurement. */
  private static final class Load {
    private final Path socket;
    private final StateRequest request;
    private final int connections;
    private final int millis;
    private final List<Double> micros = new ArrayList<>();
    private boolean counting;

    Load(Path socket, String id, int connections, int millis) {
      this.socket = socket;
      this.request = StateRequest.newBuilder().setId(id).build();
      this.connections = connections;
      this.millis = millis;
    }

    /** The microseconds of all calls that ended in the time. */
    Spread run() throws IOException {
      try (var selector = Selector.open(); var callers = new Callers()) {
        for (int i = 0; i < connections; i++) {
          Caller caller = Caller.connect(socket, "State", request);
          callers.all.add(caller);
          caller.channel().configureBlocking(false);
          caller.channel().register(selector, SelectionKey.OP_READ, caller);
        }
        for (Caller caller : callers.all) {
          caller.send();
        }
        serve(selector, WARM_UP);
        counting = true;
        serve(selector, millis);
        return new Spread(micros);
      }
    }

    private void serve(Selector selector, int forMillis) throws IOException {
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(forMillis);
      while (System.nanoTime() < end) {
        selector.select(this::answer, 1000);
      }
    }

    private void answer(SelectionKey key) {
      try {
        Caller caller = (Caller) key.attachment();
        double took = caller.receive();
        if (took >= 0) {
          if (counting) {
            micros.add(took);
          }
          caller.send();
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Closes them all. */
  private static final class Callers implements AutoCloseable {
    private final List<Caller> all = new ArrayList<>();

    @Override
    public void close() throws IOException {
      for (Caller caller : all) {
        caller.close();
      }
    }
  }
}
