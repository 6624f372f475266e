package io.loomshim.shelf;

import io.loomshim.linux.DescriptorQueue;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A place on a {@link Shelf} for what belongs together and is given up together, with a note that says what it is. The
 * last message in its queue is what it holds. May be used from any thread; {@code lock} guards the queue. Only a shelf
 * that breaks takes the locks of all its slots; whoever has one then waits for none.
 */
public final class Slot {
  /** Keeps nothing. */
  public static final Slot NONE = none(Shelf.NONE);

  private final Shelf shelf;
  private final DescriptorQueue queue;
  private final long number;
  private final ReentrantLock lock = new ReentrantLock();
  private int messages;
  private boolean released;

  /** {@code messages}: how many are in the queue already. */
  Slot(Shelf shelf, DescriptorQueue queue, long number, int messages) {
    this.shelf = shelf;
    this.queue = queue;
    this.number = number;
    this.messages = messages;
  }

  /** One that keeps nothing. */
  static Slot none(Shelf shelf) {
    var nothing = new Fd(-1);
    var slot = new Slot(shelf, new DescriptorQueue(nothing, nothing), 0, 0);
    slot.released = true;
    return slot;
  }

  DescriptorQueue queue() {
    return queue;
  }

  /** Its name among the slots of the shelf. */
  long number() {
    return number;
  }

  /**
   * Keeps {@code fds} in the place of what it has kept until now: the one or the other is there at each moment. Does
   * nothing once it has been released.
   *
   * @return false when one of them has been closed meanwhile, and nothing has changed
   */
  public boolean keep(byte[] note, List<Fd> fds) {
    lock.lock();
    try {
      if (!released) {
        for (Fd fd : fds) {
          if (fd.closed()) {
            return false;
          }
        }
        queue.put(note, fds);
        messages = messages - queue.drop(messages) + 1;
      }
      return true;
    } catch (IllegalStateException e) {
      return false; // closed just now
    } catch (ErrnoException | RuntimeException | OutOfMemoryError e) {
      if (e instanceof ErrnoException errno && errno.errno() == Errno.EBADF) {
        return false; // closed just now
      }
      shelf.fail(e);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Gives up all that it keeps; can be repeated. */
  public void release() {
    lock.lock();
    try {
      if (released) {
        return;
      }
      queue.drop(messages); // what is left of it in the shelf's own queue is empty
      released = true;
    } catch (ErrnoException | RuntimeException | OutOfMemoryError e) {
      shelf.fail(e);
    } finally {
      lock.unlock();
    }
    if (!shelf.released(this)) { // first: until then it may put the ends into its other queue
      close();
    }
  }

  /** Closes the queue of this process. */
  void close() {
    lock.lock();
    try {
      released = true;
      queue.close();
    } finally {
      lock.unlock();
    }
  }
}
