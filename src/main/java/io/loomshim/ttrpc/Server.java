package io.loomshim.ttrpc;

import io.loomshim.log.Log;
import io.loomshim.metrics.Budget;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A ttrpc server on a Unix-domain socket (docs/PROTOCOL.md). One virtual thread accepts, one reads each connection, one
 * runs each call, and one watches all deadlines. While nothing happens, all of them are parked without a timer. The
 * server serves only peers with the effective user and group of this process.
 *
 * <p>There may be {@link #CONNECTIONS_MAX} connections and {@value Calls#CALLS_MAX} calls in flight on each, and all
 * calls together may take a part of the heap. The server refuses what comes beyond that with RESOURCE_EXHAUSTED. An
 * idle connection costs about 3.5 KB of heap, most of it the stack of its parked thread. May be used from any thread;
 * the lists are concurrent, and there is no lock.
 */
public final class Server implements AutoCloseable {
  /** Calls in flight may take the largest heap divided by this, and clients with few of them as much again. */
  private static final int MEMORY_PART = 4;

  /** How long {@link #close} waits for the end of the thread that accepts, which only has to notice. */
  private static final Duration ACCEPT_END_MAX = Duration.ofSeconds(1);

  /** Between two looks for calls that are at work, while others are held back. */
  private static final Duration HOLD_PAUSE = Duration.ofMillis(1);

  /** Heap for each connection: more than it costs, so that idle connections take less than a third of the heap. */
  private static final long HEAP_BYTES_PER_CONNECTION = 12 << 10;

  /** Connections at once: one for each container and many more. A further one is closed at once. */
  static final int CONNECTIONS_MAX =
      (int) Math.min(8192, Runtime.getRuntime().maxMemory() / HEAP_BYTES_PER_CONNECTION);

  private final Door listener;
  private final Map<String, Service> services = new HashMap<>();
  private final Errors errors;
  private final Deadlines deadlines = new Deadlines("deadlines");
  private final Budget memory = Budget.ofHeap(MEMORY_PART);
  private final InFlight inFlight = new InFlight();
  private final Gate gate = new Gate();
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private Optional<StuckCalls> stuck = Optional.empty(); // set before the start
  private Optional<Thread> accepting = Optional.empty(); // set by the start
  private volatile boolean closed;

  /** Makes a server that answers UNKNOWN for every exception without a status. */
  public Server(Door listener, List<Service> services) {
    this(listener, services, ErrorMapper.NONE);
  }

  /**
   * Makes a server that owns {@code listener}. {@code mapper} maps exceptions to a status. The services must be
   * complete.
   */
  public Server(Door listener, List<Service> services, ErrorMapper mapper) {
    this.listener = listener;
    this.errors = new Errors(mapper);
    for (Service service : services) {
      this.services.put(service.name(), service);
    }
  }

  /** Logs each call that takes longer than {@code limit} once, with its stack. Call it before the start. */
  public void logStuckAfter(Duration limit) {
    stuck = Optional.of(new StuckCalls(inFlight, deadlines, limit));
  }

  /** Begins to accept connections; returns at once. Call it once. */
  public void start() {
    start(List.of(), Redo.NOTHING);
  }

  /**
   * The same, and goes on with the connections of an earlier server.
   *
   * @param redo knows what becomes of the calls that had not been answered
   */
  public void start(List<Line> lines, Redo redo) {
    var shared = new Shared(services, errors, memory, deadlines, inFlight, gate, stuck);
    var silent = new ArrayList<Connection>();
    for (Line line : lines) {
      var connection = new Connection(shared, connections, line);
      connections.add(connection);
      if (line.asks()) {
        connection.resume(redo); // first: a client waits for this one
      } else {
        silent.add(connection);
      }
    }
    for (Connection connection : silent) {
      connection.resume(redo);
    }
    accepting = Optional.of(Threads.start("accept", new Acceptor(shared)));
  }

  /** Returns the calls whose handler runs or whose reply is being written, the oldest first. */
  public List<Call> inFlight() {
    return inFlight.list();
  }

  /**
   * Holds back all calls that have not begun, so that another server can go on with the connections, and waits until
   * only such are in flight that may wait without a limit.
   *
   * @param own the call of the caller, which does not count
   * @return false when calls were still at work after {@code limit}; then nothing is held back any more
   * @throws InterruptedException likewise
   */
  public boolean hold(Call own, Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    boolean quiet = false;
    gate.close();
    try {
      quiet = !inFlight.busyBeside(own);
      while (!quiet && System.nanoTime() - end < 0) {
        Thread.sleep(HOLD_PAUSE);
        quiet = !inFlight.busyBeside(own);
      }
      return quiet;
    } finally {
      if (!quiet) {
        gate.open();
      }
    }
  }

  /** Lets the calls go on that {@link #hold} has held back. */
  public void release() {
    gate.open();
  }

  /** Returns the use of each method that has been called, in no order. */
  public List<Service.Usage> usage() {
    List<Service.Usage> list = new ArrayList<>();
    for (Service service : services.values()) {
      service.addUsageTo(list);
    }
    return list;
  }

  /** Returns how many connections are open. */
  public int connections() {
    return connections.size();
  }

  /**
   * Closes the listener and all connections, and interrupts the calls in flight, whose replies are dropped. Does not
   * wait for handlers, but for the end of the thread that accepts. Afterwards no client can connect. The caller removes
   * the socket file. Can be repeated.
   */
  @Override
  public void close() {
    closed = true;
    try {
      listener.close();
    } catch (IOException e) {
      Log.warn("ttrpc: close of the listener failed", "error", e.toString());
    }
    if (accepting.isPresent() && !Joins.join(accepting.get(), ACCEPT_END_MAX)) {
      Log.warn("ttrpc: the listener is still open");
    }
    for (Connection connection : connections) {
      connection.close();
    }
    deadlines.close();
  }

  /** The memory of calls in flight; for tests, as the two methods below. */
  Budget memory() {
    return memory;
  }

  Optional<StuckCalls> stuck() {
    return stuck;
  }

  Deadlines deadlines() {
    return deadlines;
  }

  private final class Acceptor implements Runnable {
    private final Backoff backoff = new Backoff(ThreadLocalRandom.current());
    private final Shared shared;
    private boolean full;

    private Acceptor(Shared shared) {
      this.shared = shared;
    }

    @Override
    public void run() {
      while (!closed) {
        try {
          serve(listener.accept());
          backoff.succeeded();
        } catch (IOException | RuntimeException | Error e) {
          if (!listener.isOpen()) {
            return;
          }
          pause(backoff.failed(), e);
        }
      }
    }

    private void serve(Line line) throws IOException {
      if (connections.size() >= CONNECTIONS_MAX) {
        line.close();
        tellOnce();
        return;
      }
      full = false;
      var connection = new Connection(shared, connections, line);
      connections.add(connection);
      Threads.start("conn/c" + line.number(), connection);
      if (closed) {
        connection.close(); // close() may have looked before it was in the list
      }
    }

    /** Logs the first refusal of a row. */
    private void tellOnce() {
      if (!full) {
        full = true;
        Log.warn("ttrpc: too many connections", "limit", Integer.toString(CONNECTIONS_MAX));
      }
    }

    private void pause(long millis, Throwable why) {
      Log.warn("ttrpc: accept failed", "error", why.toString(), "retry_ms", Long.toString(millis));
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        throw new AssertionError("this thread is never interrupted", e);
      }
    }
  }
}
