package io.loomshim.bench.rpc;

import io.loomshim.bench.figure.Spread;
import io.loomshim.proto.task.StateRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * State on many connections to one shim at once, each with one call in flight. One thread serves all connections of
 * this side, so that it takes little of the machine from the shim.
 */
public final class StateLoad implements AutoCloseable {
  /** Milliseconds before the first call that counts. */
  private static final int WARM_UP = 300;

  private final Selector selector;
  private final List<Caller> callers = new ArrayList<>();
  private final List<Double> micros = new ArrayList<>();
  private boolean counting;

  private StateLoad(Selector selector) {
    this.selector = selector;
  }

  /**
   * What a load has shown.
   *
   * @param micros of all calls that ended in the time
   * @param silent connections that got no answer at all
   */
  public record Result(Spread micros, int silent) {}

  /** Connects, and calls State of container {@code id} on all connections; {@code millis} of it count. */
  public static Result run(Path socket, String id, int connections, int millis) throws IOException {
    try (StateLoad load = warm(socket, id, connections)) {
      return load.measure(millis);
    }
  }

  /** A load that has been warmed up; one {@link #measure} may follow. */
  public static StateLoad warm(Path socket, String id, int connections) throws IOException {
    var load = new StateLoad(Selector.open());
    try {
      load.begin(socket, StateRequest.newBuilder().setId(id).build(), connections);
      load.serve(WARM_UP);
      return load;
    } catch (IOException | RuntimeException e) {
      load.close();
      throw e;
    }
  }

  private void begin(Path socket, StateRequest request, int connections) throws IOException {
    for (int i = 0; i < connections; i++) {
      Caller caller = Caller.connect(socket, "State", request);
      callers.add(caller);
      caller.channel().configureBlocking(false);
      caller.channel().register(selector, SelectionKey.OP_READ, caller);
    }
    for (Caller caller : callers) {
      caller.send();
    }
  }

  public Result measure(int millis) throws IOException {
    counting = true;
    serve(millis);
    int silent = 0;
    for (Caller caller : callers) {
      silent += caller.answered() ? 0 : 1;
    }
    return new Result(new Spread(micros), silent);
  }

  private void serve(int forMillis) throws IOException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(forMillis);
    while (System.nanoTime() < end) {
      selector.select(this::answer, Math.max(1, (end - System.nanoTime()) / 1_000_000));
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

  @Override
  public void close() throws IOException {
    for (Caller caller : callers) {
      caller.close();
    }
    selector.close();
  }
}
