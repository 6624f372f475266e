package io.loomshim.event;

import io.loomshim.event.Outbox.Counters;
import io.loomshim.event.Outbox.View;
import io.loomshim.event.Outbox.Waiting;
import io.loomshim.record.Change;
import io.loomshim.record.Journal;
import io.loomshim.record.Kinds;
import io.loomshim.record.Saved;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The bounded queue of an {@link Outbox}, which also counts what has become of its events. May be used from any thread;
 * {@link #head} and {@link #remove} only from the thread that delivers. {@code lock} guards all fields.
 */
final class EventQueue {
  private final boolean hasAddress;
  private final Journal journal;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Entry> queue = new ArrayDeque<>();
  private long bytes; // of the events in the queue
  private long added; // the number of the last one, in the journal
  private boolean closed;
  private boolean dropping; // since the last event that was taken
  private long sent;
  private long retried;
  private long dropped;
  private String problem = "";
  private long nextTryNanos;

  /** Makes a queue of the events in {@code waiting}; without an address it drops every event. */
  EventQueue(boolean hasAddress, Journal journal, List<Saved.Event> waiting) {
    this.hasAddress = hasAddress;
    this.journal = journal;
    for (Saved.Event event : waiting) {
      Entry entry = Entry.of(event.event());
      queue.add(entry);
      bytes += entry.event().size();
      added = event.number();
    }
  }

  /**
   * Adds an event, or drops it. In both cases {@code changes} are written down, and then {@code then} runs.
   *
   * @return why it was dropped, only for the first of a row
   */
  Optional<String> add(Entry entry, Runnable then, Change[] changes) {
    lock.lock();
    try {
      String why;
      if (!hasAddress) {
        why = "no address";
      } else if (closed) {
        why = "shutting down";
      } else if (!hasRoomLocked(entry)) {
        why = "too many events are waiting";
      } else {
        record(entry, changes);
        then.run();
        queue.add(entry);
        bytes += entry.event().size();
        dropping = false;
        changed.signal();
        return Optional.empty();
      }
      if (changes.length > 0) {
        journal.write(changes);
      }
      then.run();
      dropped++;
      boolean first = !dropping;
      dropping = true;
      return first ? Optional.of(why) : Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  boolean keeps() {
    return journal.keeps();
  }

  /** An event goes on its way also when there is no memory to write it down, which the record then tells of. */
  private void record(Entry entry, Change[] changes) {
    added++;
    if (!journal.keeps()) {
      return;
    }
    try {
      journal.write(withEvent(entry, changes));
    } catch (OutOfMemoryError e) {
      journal.giveUp(e);
    }
  }

  /** The event stands last. */
  private Change[] withEvent(Entry entry, Change[] changes) {
    Change[] all = Arrays.copyOf(changes, changes.length + 1);
    all[changes.length] = Change.put(Kinds.EVENT, Change.number(added), entry.saved());
    return all;
  }

  private boolean hasRoomLocked(Entry entry) {
    assert lock.isHeldByCurrentThread();
    boolean last = entry.topic().isFinal();
    long size = bytes + entry.event().size();
    return queue.size() < (last ? Outbox.FINAL_EVENTS_MAX : Outbox.EVENTS_MAX)
        && size <= (last ? Outbox.FINAL_BYTES_MAX : Outbox.BYTES_MAX);
  }

  /** One that stays in the record is delivered once more by a next daemon, as events may be. */
  private void strikeOut(long number) {
    if (journal.keeps()) {
      try {
        journal.write(Change.remove(Kinds.EVENT, Change.number(number)));
      } catch (OutOfMemoryError e) {
        journal.giveUp(e);
      }
    }
  }

  /** Waits for an event, which stays in the queue; empty when the queue is empty and closed. */
  Optional<Entry> head() throws InterruptedException {
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

  /** Removes the head, which containerd has acknowledged or which is dropped. */
  void remove(boolean acknowledged) {
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
      strikeOut(added - queue.size());
    } finally {
      lock.unlock();
    }
  }

  /** Notes that an attempt has failed; the next one comes after {@code pause}. */
  void failed(String why, Duration pause) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      retried++;
      problem = why;
      nextTryNanos = System.nanoTime() + pause.toNanos();
    } finally {
      lock.unlock();
    }
  }

  /** Notes that events are delivered again. */
  void recovered() {
    lock.lock();
    try {
      problem = "";
    } finally {
      lock.unlock();
    }
  }

  /** Takes no more events. */
  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Drops the events in the queue, and returns how many. */
  int dropRest() {
    lock.lock();
    try {
      int rest = queue.size();
      dropped += rest;
      queue.clear();
      bytes = 0;
      return rest;
    } finally {
      lock.unlock();
    }
  }

  Counters counters() {
    lock.lock();
    try {
      return new Counters(queue.size(), sent, retried, dropped);
    } finally {
      lock.unlock();
    }
  }

  /** The queue as it is now. Holds the lock only to copy references, at most {@link Outbox#FINAL_EVENTS_MAX}. */
  View view() {
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
}
