package io.loomshim.runc;

import io.loomshim.insight.Flight;
import io.loomshim.insight.Latency;
import io.loomshim.insight.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The commands of all runtimes that run now, and how long those took that have ended. Each is begun and ended by the
 * thread that waits for it; may be read from any thread. There is no lock.
 */
public final class RuncCalls {
  private static final Set<RuncCalls.Running> RUNNING = ConcurrentHashMap.newKeySet();
  private static final ConcurrentHashMap<String, Latency> LATENCIES = new ConcurrentHashMap<>();

  /** How a command ended that gave no status. */
  static final String NOT_STARTED = "not started";
  static final String TIMED_OUT = "timeout";
  static final String INTERRUPTED = "interrupted";

  /**
   * How one command has been used since the daemon started.
   *
   * @param command as in {@code runc COMMAND}
   * @param latency from before the start of the process until its end was seen
   */
  public record Usage(String command, Latency.Summary latency) {}

  /** One command that runs. */
  public static final class Running {
    private final String command;
    private final String container;
    private final Thread thread = Thread.currentThread();
    private final long startNanos = System.nanoTime();
    private final Span span = Flight.runc();

    private Running(String command, String container) {
      this.command = command;
      this.container = container;
    }

    /** As in {@code runc COMMAND}. */
    public String command() {
      return command;
    }

    /** The container that it is about. */
    public String container() {
      return container;
    }

    /** The thread that waits for it. */
    public Thread thread() {
      return thread;
    }

    /** {@link System#nanoTime} at its start. */
    public long startNanos() {
      return startNanos;
    }

    /** It is over: with a status, or for one of the reasons above. */
    void end(String outcome) {
      RUNNING.remove(this);
      latency(command).record(System.nanoTime() - startNanos, outcome.equals("0"));
      span.end(command, container, "", outcome);
    }
  }

  private RuncCalls() {}

  /** The calling thread is about to run {@code command}; {@link Running#end} must follow. */
  static Running begin(RuncCommand command) {
    var running = new Running(command.name(), command.id());
    RUNNING.add(running);
    return running;
  }

  private static Latency latency(String command) {
    Latency known = LATENCIES.get(command);
    if (known != null) {
      return known;
    }
    var fresh = new Latency();
    Latency other = LATENCIES.putIfAbsent(command, fresh);
    return other == null ? fresh : other;
  }

  /** The commands that run now, the oldest first. */
  public static List<Running> running() {
    var list = new ArrayList<Running>(RUNNING);
    list.sort(Comparator.comparingLong(Running::startNanos));
    return list;
  }

  /** The commands that have been used, in no order. */
  public static List<Usage> usage() {
    var list = new ArrayList<Usage>();
    for (var entry : LATENCIES.entrySet()) {
      list.add(new Usage(entry.getKey(), entry.getValue().summary()));
    }
    return list;
  }
}
