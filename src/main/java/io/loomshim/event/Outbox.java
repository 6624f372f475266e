package io.loomshim.event;

import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The events of one namespace on their way to containerd. One virtual thread, {@code events/NAMESPACE}, forwards
 * them one at a time in exactly the order in which they were added; it is parked without a timer while there are
 * none. Whoever adds a container's events under that container's lock has them delivered in that order: what
 * {@link #add} returned for goes before whatever is added afterwards, so an exit never overtakes its start.
 *
 * <p>An event stays at the head until containerd acknowledges it, over any number of restarts. It is delivered once,
 * except that containerd may see it twice when the connection breaks, or containerd hangs, between its taking the
 * event and its answer. It is given up when containerd refuses it (an answer that will not change), or has answered
 * it with other errors {@link #ANSWERS_MAX} times: one event must not hold up all that follow.
 *
 * <p>Bounded: beyond {@link #EVENTS_MAX} waiting events or {@link #BYTES_MAX} of them new ones are dropped (the first
 * of a row is logged, all are counted), but exits and deletes, for which clients wait, only beyond twice as much. What
 * waits already is never given up for room: it is the older part of a story of which the newer would make no sense
 * alone.
 *
 * <p>{@code lock} guards the queue and the counters; it is never held across I/O.
 */
public final class Outbox {
  /** Waiting events: containerd away for a day while a container runs out of memory every 3 s; about 8 MB. */
  public static final int EVENTS_MAX = 32_768;
  /** Waiting events, exits and deletes included: as many again, more than a host has processes to end. */
  public static final int FINAL_EVENTS_MAX = 2 * EVENTS_MAX;
  /** Bytes of waiting events: a create event may name a hundred layers; a sixteenth of the heap. */
  public static final long BYTES_MAX = 12L << 20;
  /** The same, exits and deletes included. */
  public static final long FINAL_BYTES_MAX = 2 * BYTES_MAX;
  /** Answers with an error that may pass; with the pauses between them, 35 s. */
  public static final int ANSWERS_MAX = 10;
  /** How long an attempt that is interrupted may take to end. */
  private static final Duration STOP_WAIT_MAX = Duration.ofSeconds(5);

  /**
   * What has happened so far.
   *
   * @param queued events that wait now, the one being delivered included
   * @param sent events that containerd has acknowledged
   * @param retried attempts that failed and were, or are going to be, repeated
   * @param dropped events that were given up
   */
  public record Counters(int queued, long sent, long retried, long dropped) {}

  /**
   * What waits, for whoever looks.
   *
   * @param counters what has happened so far
   * @param waiting for each container with waiting events, those whose events wait longest first
   * @param problem why the last attempt failed; empty while events are delivered
   * @param nextTry until the next attempt; zero or negative while one is under way or none has failed
   */
  public record View(Counters counters, List<Waiting> waiting, String problem, Duration nextTry) {}

  /** The events of one container that wait: how many, and when the oldest was added. */
  public record Waiting(String container, int count, Instant since) {}

  private final String namespace;
  private final Optional<Publisher> publisher;
  private final Backoff backoff;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Entry> queue = new ArrayDeque<>();
  private long bytes; // of the events in the queue
  private boolean closed;
  private boolean dropping; // since the last event that was taken
  private long sent;
  private long retried;
  private long dropped;
  private String problem = "";
  private long nextTryNanos;
  private Optional<Thread> thread = Optional.empty(); // set once, before the outbox is given to anybody

  private Outbox(String namespace, Optional<Publisher> publisher, Duration step) {
    this.namespace = namespace;
    this.publisher = publisher;
    this.backoff = new Backoff(step);
  }

  /**
   * Starts the outbox of {@code namespace}.
   *
   * @param address containerd's ttrpc socket (the variable TTRPC_ADDRESS), with or without unix:// before it; when it
   *     is empty every event is dropped
   */
  public static Outbox start(String namespace, String address) {
    if (address.isEmpty()) {
      Log.warn("no address to publish events at: TTRPC_ADDRESS is empty");
      return new Outbox(namespace, Optional.empty(), Backoff.STEP);
    }
    return start(namespace, new Publisher(address, namespace, Publisher.CALL_TIMEOUT), Backoff.STEP);
  }

  static Outbox start(String namespace, Publisher publisher, Duration step) {
    var outbox = new Outbox(namespace, Optional.of(publisher), step);
    outbox.thread = Optional.of(Threads.start("events/" + namespace, outbox.new Delivery(publisher)));
    return outbox;
  }

  /**
   * Takes {@code event} for delivery after all that were added before. Never blocks, never fails for want of room
   * or of a containerd.
   *
   * @throws IllegalArgumentException if the message is no task event
   */
  public void add(MessageLite event) {
    var entry = Entry.of(event, Instant.now());
    String why;
    lock.lock();
    try {
      if (publisher.isEmpty()) {
        why = "no address";
      } else if (closed) {
        why = "shutting down";
      } else if (!hasRoomLocked(entry)) {
        why = "too many events wait";
      } else {
        queue.add(entry);
        bytes += entry.event().size();
        dropping = false;
        changed.signal();
        return;
      }
      dropped++;
      if (dropping) {
        return; // the first one of a row has been logged
      }
      dropping = true;
    } finally {
      lock.unlock();
    }
    Log.warn("events are dropped", "topic", entry.topic().topic(), "reason", why);
  }

  private boolean hasRoomLocked(Entry entry) {
    assert lock.isHeldByCurrentThread();
    boolean last = entry.topic().isFinal();
    long size = bytes + entry.event().size();
    return queue.size() < (last ? FINAL_EVENTS_MAX : EVENTS_MAX) && size <= (last ? FINAL_BYTES_MAX : BYTES_MAX);
  }

  /** What has happened so far. */
  public Counters counters() {
    lock.lock();
    try {
      return new Counters(queue.size(), sent, retried, dropped);
    } finally {
      lock.unlock();
    }
  }

  /** What waits now. The lock is held only for a copy of the queue's references, at most {@link #FINAL_EVENTS_MAX}. */
  public View view() {
    List<Entry> entries;
    Counters counters;
    String why;
    long next;
    lock.lock();
    try {
      entries = new ArrayList<>(queue);
      counters = new Counters(queue.size(), sent, retried, dropped);
      why = problem;
      next = nextTryNanos;
    } finally {
      lock.unlock();
    }
    var waiting = new LinkedHashMap<String, Waiting>();
    for (Entry entry : entries) {
      String container = entry.container();
      Waiting first = waiting.get(container);
      waiting.put(container, new Waiting(container, first == null ? 1 : first.count() + 1,
          first == null ? entry.published() : first.since()));
    }
    Duration left = why.isEmpty() ? Duration.ZERO : Duration.ofNanos(next - System.nanoTime());
    return new View(counters, List.copyOf(waiting.values()), why, left);
  }

  /**
   * Takes no more events, delivers those that wait for at most {@code limit}, drops the rest and closes the
   * connection. Not cut short by an interrupt. Can be repeated.
   */
  public void close(Duration limit) {
    lock.lock();
    try {
      closed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
    if (thread.isPresent() && !Joins.join(thread.get(), limit)) {
      thread.get().interrupt();
      Joins.join(thread.get(), STOP_WAIT_MAX);
    }
    dropRest();
  }

  private void dropRest() {
    int rest;
    lock.lock();
    try {
      rest = queue.size();
      dropped += rest;
      queue.clear();
      bytes = 0;
    } finally {
      lock.unlock();
    }
    if (rest > 0) {
      Log.warn("events dropped at shutdown", "count", Integer.toString(rest));
    }
  }

  /** The publishing thread, for tests. */
  Optional<Thread> thread() {
    return thread;
  }

  /** The story of the publishing thread. */
  private final class Delivery implements Runnable {
    private final Publisher publisher;

    private Delivery(Publisher publisher) {
      this.publisher = publisher;
    }

    @Override
    public void run() {
      try (publisher) {
        for (Optional<Entry> head = head(); head.isPresent(); head = head()) {
          boolean acknowledged = deliver(publisher, head.get());
          remove(acknowledged);
        }
      } catch (InterruptedException e) {
        // close() has lost patience; it counts what is left
      }
    }
  }

  /** Waits for an event, which stays in the queue; nothing when there is none and the outbox is closed. */
  private Optional<Entry> head() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (queue.isEmpty() && !closed) {
        changed.await();
      }
      return Optional.ofNullable(queue.peek());
    } finally {
      lock.unlock();
    }
  }

  private void remove(boolean acknowledged) {
    lock.lock();
    try {
      Entry head = queue.poll();
      if (head == null) {
        return; // dropped by close() in the meantime
      }
      bytes -= head.event().size();
      if (acknowledged) {
        sent++;
      } else {
        dropped++;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Tries until {@code entry} is acknowledged, or given up: then false. */
  private boolean deliver(Publisher publisher, Entry entry) throws InterruptedException {
    var envelope = entry.envelope(namespace);
    int answers = 0;
    while (true) {
      String problem;
      try {
        publisher.publish(envelope);
        recovered();
        return true;
      } catch (StatusException e) {
        problem = e.code() + ": " + e.getMessage();
        answers += Refusal.isAnswer(e.code()) ? 1 : 0;
        if (Refusal.isFinal(e.code()) || answers == ANSWERS_MAX) {
          Log.error("event refused", "topic", entry.topic().topic(), "error", problem);
          recovered();
          return false;
        }
      } catch (IOException e) {
        problem = e.toString();
      } catch (RuntimeException e) {
        Log.error("event dropped", "topic", entry.topic().topic(), "error", e.toString());
        return false;
      }
      pause(entry, problem);
    }
  }

  /** Logs the beginning of an outage, not each attempt. */
  private void pause(Entry entry, String problem) throws InterruptedException {
    if (backoff.failures() == 0) {
      Log.warn("post event", "topic", entry.topic().topic(), "error", problem);
    }
    Duration pause = backoff.failed();
    lock.lockInterruptibly();
    try {
      retried++;
      this.problem = problem;
      nextTryNanos = System.nanoTime() + pause.toNanos();
    } finally {
      lock.unlock();
    }
    Thread.sleep(pause);
  }

  private void recovered() {
    if (backoff.failures() > 0) {
      Log.info("events are delivered again", "failures", Integer.toString(backoff.failures()));
      backoff.succeeded();
      lock.lock();
      try {
        problem = "";
      } finally {
        lock.unlock();
      }
    }
  }

  /** Which answers of containerd mean what. */
  private static final class Refusal {
    private Refusal() {}

    /** Whether the same event will be answered in the same way again. */
    static boolean isFinal(Code code) {
      return switch (code) {
        case INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED,
            FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED -> true;
        default -> false;
      };
    }

    /** Whether containerd has looked at the event at all. */
    static boolean isAnswer(Code code) {
      return code != Code.DEADLINE_EXCEEDED && code != Code.UNAVAILABLE;
    }
  }
}
