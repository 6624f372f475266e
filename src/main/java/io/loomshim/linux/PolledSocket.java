package io.loomshim.linux;

import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A socket for which threads wait again and again, and which any thread may close. It stays in the {@link Poller}, so
 * that a wait takes one system call, where {@link Poller#awaitReadable} takes two. At a time one thread may wait to
 * read and one to write.
 *
 * <p>Who uses the descriptor says so, by {@link #enter} and {@link #leave}. A close wakes all of them by shutdown(2),
 * and the last one of them gives the number back, so that no call ever hits another file of the same number. One word
 * counts them and says whether the socket is closed. There is no lock, because the poller's thread takes part.
 *
 * <p>The kernel tells of one event and then of no more, until somebody arms again for those who wait then. A thread
 * first says that it waits, then arms, then looks whether the other one has come meanwhile. So the last one that arms
 * does so for both.
 */
public final class PolledSocket implements AutoCloseable, Poller.Told {
  /** The bit of {@code state} that says so; the others are the number of users. */
  private static final int CLOSED = Integer.MIN_VALUE;

  private static final int END = Epoll.ERROR | Epoll.HANG_UP;

  private final Poller poller = Poller.shared();
  private final Fd socket;
  private final long token;
  private final AtomicInteger state = new AtomicInteger();
  private final AtomicReference<Thread> reader = new AtomicReference<>(); // null: none waits
  private final AtomicReference<Thread> writer = new AtomicReference<>();

  /** Takes ownership of {@code socket}. */
  public PolledSocket(Fd socket) {
    this.socket = socket;
    this.token = poller.add(this);
  }

  /**
   * Begins to use the descriptor; {@link #leave} must follow.
   *
   * @throws ClosedChannelException when it has been closed
   */
  public Fd enter() throws ClosedChannelException {
    if (!entered()) {
      throw new ClosedChannelException();
    }
    return socket;
  }

  private boolean entered() {
    while (true) {
      int now = state.get();
      if (now < 0) {
        return false;
      }
      if (state.compareAndSet(now, now + 1)) {
        return true;
      }
    }
  }

  /** Ends the use. */
  public void leave() {
    if (state.decrementAndGet() == CLOSED) {
      poller.remove(socket, token);
      socket.close();
    }
  }

  public boolean isOpen() {
    return state.get() >= 0;
  }

  /** Ends both directions and wakes all who wait. Does nothing the second time. */
  @Override
  public void close() {
    while (true) {
      int now = state.get();
      if (now < 0) {
        return;
      }
      if (state.compareAndSet(now, (now + 1) | CLOSED)) { // a user itself, until the end of this
        StreamSocket.shutdown(socket);
        leave();
        return;
      }
    }
  }

  /** Parks until a read would not wait, or for no reason; between {@link #enter} and {@link #leave}. */
  public void awaitReadable() throws ErrnoException, InterruptedException {
    await(reader);
  }

  /** The same for a write. */
  public void awaitWritable() throws ErrnoException, InterruptedException {
    await(writer);
  }

  private void await(AtomicReference<Thread> place) throws ErrnoException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    Thread thread = Thread.currentThread();
    place.set(thread);
    try {
      arm();
      while (place.get() == thread) {
        LockSupport.park(this);
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
    } finally {
      place.compareAndSet(thread, null);
    }
  }

  private void arm() throws ErrnoException {
    int armed = wanted();
    while (armed != 0) {
      poller.arm(socket, armed, token);
      int wanted = wanted();
      armed = (wanted & ~armed) == 0 ? 0 : wanted;
    }
  }

  private int wanted() {
    return (reader.get() == null ? 0 : Epoll.READABLE) | (writer.get() == null ? 0 : Epoll.WRITABLE);
  }

  @Override
  public void tell(int kinds) {
    if ((kinds & (Epoll.READABLE | END)) != 0) {
      wake(reader);
    }
    if ((kinds & (Epoll.WRITABLE | END)) != 0) {
      wake(writer);
    }
    if (wanted() != 0) {
      rearm();
    }
  }

  private static void wake(AtomicReference<Thread> place) {
    Thread thread = place.get();
    if (thread != null && place.compareAndSet(thread, null)) {
      Poller.wake(thread);
    }
  }

  /** For the one that waits for another event than the one that has come; where that fails it sees for itself. */
  private void rearm() {
    boolean armed = false;
    if (entered()) {
      try {
        arm();
        armed = true;
      } catch (ErrnoException e) {
        // told below
      } finally {
        leave();
      }
    }
    if (!armed) {
      wake(reader);
      wake(writer);
    }
  }
}
