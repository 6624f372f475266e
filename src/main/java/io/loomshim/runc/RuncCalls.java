package io.loomshim.runc;

import io.loomshim.metrics.Flight;
import io.loomshim.metrics.Latency;
import io.loomshim.metrics.Span;
import io.loomshim.process.Child;
import io.loomshim.shelf.Shelf;
import io.loomshim.shelf.Slot;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The commands that a daemon runs now for all of its containers, and how long those took that have ended. Those that
 * {@link NativeRunc} does without a process have names of their own. Each is begun and ended by the thread that waits
 * for it; may be read from any thread. There is no lock.
 */
public final class RuncCalls {
  /** How a command ended that gave no status. */
  static final String NOT_STARTED = "not started";
  /** The first word of what is kept of a command; its name, the container and the pid follow. */
  public static final String COMMAND = "command";

  static final String TIMED_OUT = "timeout";
  static final String INTERRUPTED = "interrupted";
  /** Of what was to be done without a process and was not: it is not counted. */
  static final String LEFT = "left to the runtime";

  private final Shelf shelf;
  private final Set<Running> running = ConcurrentHashMap.newKeySet();
  private final ConcurrentHashMap<String, Latency> latencies = new ConcurrentHashMap<>();

  /**
   * How one command has been used since the daemon started.
   *
   * @param command as in {@code runc COMMAND}
   * @param latency from before the start of the process until its end was seen
   */
  public record Usage(String command, Latency.Summary latency) {}

  /** One command that runs. */
  public final class Running {
    private final String command;
    private final String container;
    private final Thread thread = Thread.currentThread();
    private final long startNanos = System.nanoTime();
    private final Span span = Flight.runc();
    private Slot slot = Slot.NONE;

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

    /** Its process: another daemon will know of it while it runs. */
    void began(Child child) {
      slot = keep(command, container, child);
    }

    /** It is over: with a status, or for one of the reasons above. */
    void end(String outcome) {
      running.remove(this);
      if (slot != Slot.NONE) {
        slot.release();
      }
      if (outcome.equals(LEFT)) {
        return;
      }
      latency(command).record(System.nanoTime() - startNanos, outcome.equals("0"));
      span.end(command, container, "", outcome);
    }
  }

  /** Commands whose processes are kept on {@code shelf} while they run. */
  public RuncCalls(Shelf shelf) {
    this.shelf = shelf;
  }

  /** Has another daemon know of a program that runs for {@code container}, until the slot is released. */
  public Slot keep(String command, String container, Child child) {
    if (shelf.broken()) {
      return Slot.NONE;
    }
    String label = COMMAND + " " + command + " " + container + " " + child.pid();
    return shelf.put(label.getBytes(StandardCharsets.UTF_8), List.of(child.pidfd()));
  }

  /** The same without a shelf. */
  public RuncCalls() {
    this(Shelf.NONE);
  }

  /** The calling thread is about to run {@code command}; {@link Running#end} must follow. */
  Running begin(RuncCommand command) {
    return begin(command.name(), command.id());
  }

  /** The same for what is called {@code command} and is about {@code container}. */
  Running begin(String command, String container) {
    var begun = new Running(command, container);
    running.add(begun);
    return begun;
  }

  private Latency latency(String command) {
    Latency known = latencies.get(command);
    if (known != null) {
      return known;
    }
    var fresh = new Latency();
    Latency other = latencies.putIfAbsent(command, fresh);
    return other == null ? fresh : other;
  }

  /** The commands that run now, the oldest first. */
  public List<Running> running() {
    var list = new ArrayList<Running>(running);
    list.sort(Comparator.comparingLong(Running::startNanos));
    return list;
  }

  /** The commands that have been used, in no order. */
  public List<Usage> usage() {
    var list = new ArrayList<Usage>();
    for (var entry : latencies.entrySet()) {
      list.add(new Usage(entry.getKey(), entry.getValue().summary()));
    }
    return list;
  }
}
