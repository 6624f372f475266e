package io.loomshim.ttrpc;

import io.loomshim.log.Log;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
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
 * A ttrpc server on a Unix-domain socket (docs/PROTOCOL.md). One virtual thread accepts, one reads each
 * connection, one runs each call, one watches all deadlines; while nothing happens all of them are parked without
 * a timer. Only peers with our effective user and group are served.
 *
 * <p>{@link #CONNECTIONS_MAX} connections, {@value Calls#CALLS_MAX} calls in flight on each, and all of them
 * together take no more than a part of the heap: what comes beyond that is refused with RESOURCE_EXHAUSTED. An idle
 * connection costs about 3.5 KB of heap, most of it the stack of its parked thread. Reads and writes are cut into
 * pieces of 64 KiB because JDK 21 keeps a direct buffer of the largest size per carrier thread
 * ({@code jdk.nio.maxCachedBufferSize} need not be set). May be used from any thread; the lists are concurrent,
 * there is no lock.
 */
public final class Server implements AutoCloseable {
  /** The largest heap divided by this is for calls in flight, and as much again for clients with few of them. */
  private static final int MEMORY_PART = 4;

  /** How long the end of the thread that accepts is waited for; it only has to notice. */
  private static final Duration ACCEPT_END_MAX = Duration.ofSeconds(1);

  /** Heap for each connection: more than it costs, so that idle ones take less than a third of it. */
  private static final long HEAP_BYTES_PER_CONNECTION = 12 << 10;

  /** Connections at once: one for each container and many more; the next one is closed at once. */
  static final int CONNECTIONS_MAX =
      (int) Math.min(8192, Runtime.getRuntime().maxMemory() / HEAP_BYTES_PER_CONNECTION);

  private final ServerSocketChannel listener;
  private final Map<String, Service> services = new HashMap<>();
  private final Errors errors;
  private final Deadlines deadlines = new Deadlines("deadlines");
  private final Budget memory = Budget.ofHeap(MEMORY_PART);
  private final InFlight inFlight = new InFlight();
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private Optional<StuckCalls> stuck = Optional.empty(); // set before the start
  private Optional<Thread> accepting = Optional.empty(); // set by the start
  private volatile boolean closed;

  /** Makes a server whose exceptions are UNKNOWN to its clients, but for those with a status. */
  public Server(ServerSocketChannel listener, List<Service> services) {
    this(listener, services, ErrorMapper.NONE);
  }

  /**
   * Makes a server that owns {@code listener}, which is bound and in blocking mode, and asks {@code mapper} for
   * the status of exceptions. The services must be complete.
   */
  public Server(ServerSocketChannel listener, List<Service> services, ErrorMapper mapper) {
    this.listener = listener;
    this.errors = new Errors(mapper);
    for (Service service : services) {
      this.services.put(service.name(), service);
    }
  }

  /** Has each call logged once, with its stack, that has not ended within {@code limit}; call it before the start. */
  public void logStuckAfter(Duration limit) {
    stuck = Optional.of(new StuckCalls(inFlight, deadlines, limit));
  }

  /** Begins to accept connections; returns at once. Call it once. */
  public void start() {
    var shared = new Shared(services, errors, memory, deadlines, inFlight, stuck);
    accepting = Optional.of(Threads.start("accept", new Acceptor(shared)));
  }

  /** Returns the calls whose handler runs or whose reply is being written, the oldest first. */
  public List<Call> inFlight() {
    return inFlight.list();
  }

  /** Returns how the methods that have been called were used, in no order. */
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
   * Closes the listener and all connections and interrupts the calls in flight, whose replies are dropped. Does
   * not wait for handlers. Afterwards nobody can connect: the socket of a channel that a virtual thread accepts from
   * listens until that thread has noticed (JDK, ServerSocketChannelImpl.implCloseBlockingMode), so its end is waited
   * for. The socket file is the owner's to remove. Can be repeated.
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

  /** What calls in flight hold, for tests; the same for those below. */
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
    private long number;
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

    private void serve(SocketChannel channel) throws IOException {
      if (connections.size() >= CONNECTIONS_MAX) {
        channel.close();
        tellOnce();
        return;
      }
      full = false;
      var connection = new Connection(shared, connections, channel, ++number);
      connections.add(connection);
      Threads.start("conn/c" + number, connection);
      if (closed) {
        connection.close(); // close() may have looked before it was in the list
      }
    }

    /** The first of a row is told. */
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
        throw new AssertionError("nobody interrupts this thread", e);
      }
    }
  }
}
