package io.loomshim.event;

import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.record.Change;
import io.loomshim.record.Journal;
import io.loomshim.record.Saved;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The events of one namespace on their way to containerd. One virtual thread, {@code events/NAMESPACE}, forwards them
 * one at a time, exactly in the order in which they were added. While the queue is empty the thread is parked without a
 * timer. An event for which {@link #add} has returned is delivered before every event that is added later. So a caller
 * that adds the events of a container under that container's lock has them delivered in that order, and an exit never
 * overtakes its start.
 *
 * <p>An event stays at the head of the queue until containerd acknowledges it, over any number of restarts. containerd
 * gets it once. It may get it twice only when the connection breaks, or containerd hangs, after containerd has taken
 * the event and before its answer. The outbox drops an event when containerd refuses it with an answer that will not
 * change, or has answered it {@link #ANSWERS_MAX} times with other errors: one event must not hold up all that follow.
 *
 * <p>The queue is bounded. Beyond {@link #EVENTS_MAX} events or {@link #BYTES_MAX} bytes new events are dropped; the
 * first of a row is logged and all are counted. Exits and deletes, for which clients wait, are dropped only beyond
 * twice as much. An event in the queue is never dropped to make room, because later events of a container make no sense
 * without the earlier ones.
 *
 * <p>With a journal, an event is written down together with the changes that it tells of, before it can be delivered,
 * and struck out once containerd has acknowledged it. A daemon that takes over begins with what was not struck out.
 *
 * <p>{@link EventQueue} has the lock, which is never held across I/O, a write to the journal aside.
 */
public final class Outbox {
  /** Events in the queue: a day without containerd while a container runs out of memory every 3 s; about 8 MB. */
  public static final int EVENTS_MAX = 32_768;
  /** Events in the queue for exits and deletes: as many again, more than a host has processes. */
  public static final int FINAL_EVENTS_MAX = 2 * EVENTS_MAX;
  /** Bytes of events in the queue, a sixteenth of the heap; a create event may name a hundred layers. */
  public static final long BYTES_MAX = 12L << 20;
  /** Bytes of events in the queue for exits and deletes. */
  public static final long FINAL_BYTES_MAX = 2 * BYTES_MAX;
  /** Answers with a passing error before an event is dropped; 35 s with the pauses between them. */
  public static final int ANSWERS_MAX = 10;
  /** How long an interrupted attempt may take to end. */
  private static final Duration STOP_WAIT_MAX = Duration.ofSeconds(5);

  /**
   * What has happened so far.
   *
   * @param queued events in the queue now, the one being delivered included
   * @param sent events that containerd has acknowledged
   * @param retried attempts that failed and are repeated
   * @param dropped events that were dropped
   */
  public record Counters(int queued, long sent, long retried, long dropped) {}

  /**
   * The queue at one moment, for reports.
   *
   * @param counters what has happened so far
   * @param waiting the containers with events in the queue, the longest wait first
   * @param problem why the last attempt failed; empty while events are delivered
   * @param nextTry the time until the next attempt; zero or negative while one is under way or none has failed
   */
  public record View(Counters counters, List<Waiting> waiting, String problem, Duration nextTry) {}

  /** The events of one container in the queue: how many, and when the oldest was added. */
  public record Waiting(String container, int count, Instant since) {}

  private static final Runnable NOTHING = new Runnable() {
    @Override
    public void run() {
      // there is nothing to be done
    }
  };

  private final String namespace;
  private final EventQueue queue;
  private final Backoff backoff;
  private Optional<Thread> thread = Optional.empty(); // set once, before start() returns

  Outbox(String namespace, Optional<Publisher> publisher, Duration step, Journal journal,
      List<Saved.Event> waiting) {
    this.namespace = namespace;
    this.queue = new EventQueue(publisher.isPresent(), journal, waiting);
    this.backoff = new Backoff(step);
  }

  /**
   * Starts the outbox of {@code namespace}.
   *
   * @param address containerd's ttrpc socket (the variable TTRPC_ADDRESS), with or without unix:// before it; when it
   *     is empty, every event is dropped
   * @param journal where events are written down
   * @param waiting events of a daemon before this one that containerd has not acknowledged; they stand in the journal
   */
  public static Outbox start(String namespace, String address, Journal journal, List<Saved.Event> waiting) {
    if (address.isEmpty()) {
      Log.warn("no address to publish events at: TTRPC_ADDRESS is empty");
      return new Outbox(namespace, Optional.empty(), Backoff.STEP, journal, List.of());
    }
    var publisher = new Publisher(address, namespace, Publisher.CALL_TIMEOUT);
    return start(namespace, publisher, Backoff.STEP, journal, waiting);
  }

  /** The same without a journal. */
  public static Outbox start(String namespace, String address) {
    return start(namespace, address, Journal.NONE, List.of());
  }

  static Outbox start(String namespace, Publisher publisher, Duration step, Journal journal,
      List<Saved.Event> waiting) {
    var outbox = new Outbox(namespace, Optional.of(publisher), step, journal, waiting);
    outbox.thread = Optional.of(Threads.start("events/" + namespace, outbox.new Delivery(publisher)));
    return outbox;
  }

  /**
   * Adds {@code event} to the end of the queue. Never blocks, and does not fail when the queue is full or containerd is
   * away: then the event is dropped, or waits. May be called from any thread.
   *
   * @param changes what else has happened; written down in one entry with the event, also when that is dropped
   * @throws IllegalArgumentException if the message is no task event
   */
  public void add(MessageLite event, Change... changes) {
    add(event, NOTHING, changes);
  }

  /**
   * The same, and runs {@code then} after all of that is written down and before the event can be delivered: what
   * clients may see from then on is known after the daemon's end. {@code then} takes no lock that its caller does not
   * hold, and does not fail.
   */
  public void add(MessageLite event, Runnable then, Change... changes) {
    var entry = Entry.of(event, Instant.now());
    Optional<String> why = queue.add(entry, then, changes);
    if (why.isPresent()) {
      Log.warn("events are dropped", "topic", entry.topic().topic(), "reason", why.get());
    }
  }

  /** Whether what is added is written down, with the changes. */
  public boolean keeps() {
    return queue.keeps();
  }

  /** What has happened so far. */
  public Counters counters() {
    return queue.counters();
  }

  /** The queue as it is now. */
  public View view() {
    return queue.view();
  }

  /**
   * Takes no more events, delivers those in the queue within {@code limit}, drops the rest and closes the connection.
   * An interrupt does not cut it short. Can be repeated.
   */
  public void close(Duration limit) {
    queue.close();
    if (thread.isPresent() && !Joins.join(thread.get(), limit)) {
      thread.get().interrupt();
      Joins.join(thread.get(), STOP_WAIT_MAX);
    }
    int rest = queue.dropRest();
    if (rest > 0) {
      Log.warn("events dropped at shutdown", "count", Integer.toString(rest));
    }
  }

  /** The queue, for tests. */
  EventQueue queue() {
    return queue;
  }

  /** The publishing thread, for tests. */
  Optional<Thread> thread() {
    return thread;
  }

  /** What the thread {@code events/NAMESPACE} runs. */
  private final class Delivery implements Runnable {
    private final Publisher publisher;

    private Delivery(Publisher publisher) {
      this.publisher = publisher;
    }

    @Override
    public void run() {
      try (publisher) {
        for (Optional<Entry> head = queue.head(); head.isPresent(); head = queue.head()) {
          boolean acknowledged = deliver(publisher, head.get());
          queue.remove(acknowledged);
        }
      } catch (InterruptedException e) {
        // close() has reached its limit; it counts what is left
      }
    }
  }

  /** Tries until containerd acknowledges {@code entry}; false when it is dropped. */
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

  /** Waits before the next attempt. Logs the beginning of an outage, not each attempt. */
  private void pause(Entry entry, String problem) throws InterruptedException {
    if (backoff.failures() == 0) {
      Log.warn("post event", "topic", entry.topic().topic(), "error", problem);
    }
    Duration pause = backoff.failed();
    queue.failed(problem, pause);
    Thread.sleep(pause);
  }

  private void recovered() {
    if (backoff.failures() > 0) {
      Log.info("events are delivered again", "failures", Integer.toString(backoff.failures()));
      backoff.succeeded();
      queue.recovered();
    }
  }

  /** The meaning of containerd's error codes. */
  private static final class Refusal {
    private Refusal() {}

    /** Whether containerd will answer the same event in the same way again. */
    static boolean isFinal(Code code) {
      return switch (code) {
        case INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED,
            FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED -> true;
        default -> false;
      };
    }

    /** Whether the code is an answer of containerd, not a lack of one. */
    static boolean isAnswer(Code code) {
      return code != Code.DEADLINE_EXCEEDED && code != Code.UNAVAILABLE;
    }
  }
}
