package io.loomshim.shelf;

import io.loomshim.linux.DescriptorQueue;
import io.loomshim.linux.DescriptorTable;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.metrics.Shortages;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where a daemon keeps what must not close with it. Each {@link Slot} is a queue of its own, and both ends of each are
 * in the shelf's queue, whose ends another process has too. So a slot is emptied by whoever has it, without an order
 * among slots, and nothing is lost at any moment: what is looked at stays where it is.
 *
 * <p>The queues of some slots that have been released serve the next ones. The ends of the others are left behind. When
 * there are many, the ends of the living ones are put into the other of two queues first, and then all are dropped from
 * this one. A slot that is seen in both is one.
 *
 * <p>When anything fails, the shelf is broken: it keeps nothing any more, and the end of the daemon closes everything,
 * as it does without a shelf. May be used from any thread; {@code lock} guards the sets and both queues.
 */
public final class Shelf implements AutoCloseable {
  /** Keeps nothing. */
  public static final Shelf NONE = new Shelf();

  /** What a broken one is called among what the daemon lacks. */
  static final String SHORTAGE = "shelf of descriptors";

  /** How many ends it inherits and hands on. */
  public static final int ENDS = 4;

  /** Slots that have been released before there is a compaction, and no more than half of all. */
  static final int DEAD_MAX = 64;

  /** Empty queues that wait for the next slots: about what as many execs at once need, at two descriptors each. */
  static final int SPARE_MAX = 16;

  /** What a queue may hold: about 32 000 slots. A limit, not a reservation. */
  private static final int CAPACITY_BYTES = 64 << 20;

  /** Of a slot's queue: a note of the largest size, twice. */
  private static final int SLOT_BYTES = 256 << 10;

  /** Descriptors that a daemon has for each slot that it has found, about: two of its queue, and what is in it. */
  private static final int FDS_EXPECTED = 6;

  /** Those that it has besides. */
  private static final int FDS_BESIDE = 64;

  private final List<DescriptorQueue> queues;
  private final ReentrantLock lock = new ReentrantLock();
  private final Set<Slot> slots = new LinkedHashSet<>();
  private final ArrayDeque<Slot> spare = new ArrayDeque<>(); // released; their queues are empty, and their ends here
  private int now; // which of the queues new slots go to
  private int entries; // in that queue
  private long numbers; // of slots, the last one
  private final AtomicBoolean broken = new AtomicBoolean();
  private volatile Runnable onFailure = Shelf::nothing;

  private Shelf() {
    queues = List.of();
    broken.set(true);
  }

  private Shelf(List<DescriptorQueue> queues) {
    this.queues = queues;
  }

  private static void nothing() {
    // there is no one to tell
  }

  /** An empty shelf; fails with EMFILE and the like. */
  public static Shelf make() throws ErrnoException {
    DescriptorQueue first = DescriptorQueue.make();
    try {
      DescriptorQueue second = DescriptorQueue.make();
      first.capacity(CAPACITY_BYTES);
      second.capacity(CAPACITY_BYTES);
      return new Shelf(List.of(first, second));
    } catch (ErrnoException | RuntimeException | Error e) {
      first.close();
      throw e;
    }
  }

  /** The shelf of an earlier daemon, whose {@link #ends} have been inherited as {@code first} and what follows. */
  public static Shelf inherited(int first) throws ErrnoException {
    var ends = new ArrayList<Fd>();
    for (int i = 0; i < ENDS; i++) {
      try (var end = new Fd(first + i)) { // not closed on exec; what this program starts must not have it
        ends.add(end.duplicate());
      }
    }
    return new Shelf(List.of(new DescriptorQueue(ends.get(0), ends.get(1)),
        new DescriptorQueue(ends.get(2), ends.get(3))));
  }

  /** What another process must have for the shelf to outlive this one; they stay this object's. */
  public List<Fd> ends() {
    var ends = new ArrayList<Fd>();
    for (DescriptorQueue queue : queues) {
      ends.add(queue.reader());
      ends.add(queue.writer());
    }
    return ends;
  }

  /** Whether nothing is kept, or not any more. */
  public boolean broken() {
    return broken.get();
  }

  /** From now on {@code action} is run when the shelf breaks; for what must not outlive it. */
  public void onFailure(Runnable action) {
    onFailure = action;
  }

  /** A new slot that keeps duplicates of {@code fds}; what a note means is up to the caller. */
  public Slot put(byte[] note, List<Fd> fds) {
    lock.lock();
    try {
      if (broken.get()) {
        return Slot.none(this);
      }
      Slot before = spare.poll();
      var slot = before == null ? fresh() : new Slot(this, before.queue(), before.number(), 0);
      slots.add(slot);
      slot.keep(note, fds); // first: a slot that is found is never empty by mistake
      if (before == null && !broken.get()) {
        add(slot);
      }
      return slot;
    } catch (ErrnoException | OutOfMemoryError e) {
      fail(e);
      return Slot.none(this);
    } finally {
      lock.unlock();
    }
  }

  private Slot fresh() throws ErrnoException {
    DescriptorQueue queue = DescriptorQueue.make();
    queue.capacity(SLOT_BYTES);
    return new Slot(this, queue, ++numbers, 0);
  }

  private void add(Slot slot) throws ErrnoException {
    assert lock.isHeldByCurrentThread();
    byte[] number = ByteBuffer.allocate(Long.BYTES).putLong(slot.number()).array();
    queues.get(now).put(number, List.of(slot.queue().reader(), slot.queue().writer()));
    entries++;
  }

  /** What an earlier daemon has left; to be called once, before anything is put. */
  public List<Found> look() throws ErrnoException {
    lock.lock();
    try (var room = new DescriptorQueue.Room()) {
      int expected = (queues.get(0).noteBytes() + queues.get(1).noteBytes()) / Long.BYTES;
      DescriptorTable.makeRoom(FDS_BESIDE + expected * FDS_EXPECTED, queues.get(0).reader());
      var found = new ArrayList<Found>();
      var seen = new HashSet<Long>();
      for (DescriptorQueue.Message entry : queues.get(0).look(room)) {
        look(entry, room, seen, found);
      }
      entries = seen.size();
      List<DescriptorQueue.Message> second = queues.get(1).look(room);
      if (entries == 0) {
        now = 1;
        entries = second.size();
      }
      for (DescriptorQueue.Message entry : second) {
        Optional<Slot> slot = look(entry, room, seen, found);
        if (now == 0 && slot.isPresent()) {
          add(slot.get());
        }
      }
      if (now == 0) {
        queues.get(1).drop(second.size()); // of a compaction that did not come to its end
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  /** The slot of an entry, unless it has been released or seen. */
  private Optional<Slot> look(DescriptorQueue.Message entry, DescriptorQueue.Room room, Set<Long> seen,
      List<Found> found) throws ErrnoException {
    long number = ByteBuffer.wrap(entry.note()).getLong();
    if (!seen.add(number)) {
      entry.close();
      return Optional.empty();
    }
    numbers = Math.max(numbers, number);
    var queue = new DescriptorQueue(entry.fds().get(0), entry.fds().get(1));
    List<DescriptorQueue.Message> messages = queue.look(room);
    if (messages.isEmpty()) {
      queue.close();
      return Optional.empty();
    }
    DescriptorQueue.Message last = messages.removeLast();
    for (DescriptorQueue.Message earlier : messages) {
      earlier.close(); // its daemon was killed before it had dropped it
    }
    if (!messages.isEmpty()) {
      queue.drop(messages.size());
    }
    var slot = new Slot(this, queue, number, 1);
    slots.add(slot);
    found.add(new Found(slot, last.note(), last.fds()));
    return Optional.of(slot);
  }

  /** How many ends of released slots there are that serve no more. */
  int dead() {
    lock.lock();
    try {
      return entries - slots.size() - spare.size();
    } finally {
      lock.unlock();
    }
  }

  /** A slot has been released, and its queue is empty: false when that is to be closed. */
  boolean released(Slot slot) {
    lock.lock();
    try {
      if (!slots.remove(slot) || broken.get()) {
        return false;
      }
      if (spare.size() < SPARE_MAX) {
        spare.add(slot);
        return true;
      }
      if (dead() > DEAD_MAX && dead() > slots.size()) {
        compact();
      }
    } catch (ErrnoException | OutOfMemoryError e) {
      fail(e);
    } finally {
      lock.unlock();
    }
    return false;
  }

  private void compact() throws ErrnoException {
    assert lock.isHeldByCurrentThread();
    int before = now;
    now = 1 - before;
    entries = 0;
    for (Slot slot : slots) {
      add(slot);
    }
    for (Slot slot : spare) {
      add(slot);
    }
    queues.get(before).drop(Integer.MAX_VALUE);
  }

  /** Keeps nothing any more, and gives up what it has kept. */
  void fail(Throwable why) {
    if (!broken.getAndSet(true)) {
      onFailure.run(); // first: to tell of it needs memory
      close();
      Shortages.begin(SHORTAGE, "a daemon that is killed takes its containers with it", why);
    }
  }

  /** Gives up all that it keeps, in this process; the ends that another one has keep the rest. */
  @Override
  public void close() {
    broken.set(true);
    lock.lock();
    try {
      for (Slot slot : slots) {
        slot.close();
      }
      slots.clear();
      for (Slot slot : spare) {
        slot.close();
      }
      spare.clear();
      for (DescriptorQueue queue : queues) {
        queue.close();
      }
    } finally {
      lock.unlock();
    }
  }
}
