package io.loomshim.stdio;

import io.loomshim.linux.CopyBuffer;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.Poller;
import io.loomshim.linux.Pty;
import io.loomshim.log.Log;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Copies what the processes of a terminal write to the client, on a virtual thread of its own that also closes the
 * client's end. That no process has the terminal open does not end it, as one may open it again.
 *
 * <p>Any thread may tell it to end, to hang up or to stop: {@code phase} only goes forward, and an interrupt makes
 * the thread look at it.
 */
final class ConsoleOutput {
  /** A terminal gives at most 4 KiB a read; several reads make one write where there is much. */
  private static final int BUFFER_BYTES = 16 * 1024;

  /**
   * The most that is copied after the end of the process. A pty holds less than 16 KiB, so whatever the process wrote
   * is in it; one in the background that goes on writing is cut off.
   */
  private static final int LEFT_OVER_BYTES_MAX = 64 * 1024;

  /** How long a client that does not read may hold up a hang-up that its own end of stdin has caused. */
  private static final Duration HANG_UP_WAIT_MAX = Duration.ofSeconds(1);

  /** A copy that was stopped ends at once, unless a write to a file hangs in the kernel. */
  private static final Duration STOP_WAIT_MAX = Duration.ofSeconds(5);

  /** What the client's fifo holds: each splice takes one of its 64 pages, however few its bytes are. */
  private static final int FIFO_BYTES = 256 * 1024;

  /** What {@link #read} returns when no process has the terminal open and all has been read. */
  private static final int NOT_OPEN = -2;

  private enum Phase {
    COPYING,
    ENDING,
    HANGING_UP,
    STOPPED
  }

  private final String name;
  private final Pty pty;
  private final Fd to;
  private final CopyBuffer buffer = new CopyBuffer(BUFFER_BYTES);
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.COPYING);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread thread;
  private boolean spliced; // in the kernel, so that no byte is in this process alone; of the thread that copies
  private volatile Deadline hangUpLimit = Deadline.NEVER;
  private volatile Runnable onEnd = Held::none;

  /** Takes ownership of {@code to}, which must be non-blocking; {@code pty} stays the caller's. */
  ConsoleOutput(String name, Pty pty, Fd to) {
    this.name = name;
    this.pty = pty;
    this.to = to;
    this.thread = Threads.unstarted(name, this::run);
    this.spliced = Outliving.wanted() && !to.closed() && Pipe.is(to);
    if (spliced) {
      Pipe.capacity(to, FIFO_BYTES);
    }
  }

  void start() {
    thread.start();
  }

  /** From now on {@code action} is run once the client's end has been closed; at once if it has. */
  void onEnd(Runnable action) {
    onEnd = action;
    if (ended.getCount() == 0) {
      action.run();
    }
  }

  private void run() {
    try (buffer) {
      copy();
    } catch (IOException e) {
      Log.warn("error copying", "stream", name, "error", String.valueOf(e.getMessage()));
    } finally {
      to.close();
      if (phase.get() == Phase.HANGING_UP) {
        pty.close();
      }
      ended.countDown();
      onEnd.run();
    }
  }

  private void copy() throws IOException {
    int leftOver = 0;
    while (true) {
      Phase now = phase.get();
      if (now == Phase.STOPPED || pty.master().closed()) {
        return;
      }
      int count = spliced ? move() : read();
      if (count > 0) {
        deliver();
        leftOver += now == Phase.COPYING ? 0 : count;
        if (leftOver >= LEFT_OVER_BYTES_MAX) {
          return;
        }
        Thread.yield(); // a terminal that is always ready must not keep a carrier
      } else if (count < 0 && now != Phase.COPYING) {
        return; // the phase was looked at first: all that was written before it began has been read
      } else if (count < 0) {
        await(count);
      }
    }
  }

  /** {@link #read} and {@link #deliver} in one, once there is room; 0 when it is over. */
  private int move() throws ErrnoException {
    while (phase.get() != Phase.STOPPED && !pty.master().closed()) {
      long moved = pty.master().splice(to, BUFFER_BYTES);
      if (moved > 0) {
        return (int) moved;
      }
      if (moved == -Errno.EINVAL) {
        spliced = false; // Linux before 5.11
        return read();
      }
      if (moved == 0 || moved == -Errno.EIO) {
        return NOT_OPEN;
      }
      if (moved != -Errno.EAGAIN && moved != -Errno.EINTR) {
        throw new ErrnoException("splice", (int) -moved);
      }
      if (moved == -Errno.EAGAIN && to.roomy()) {
        return -1;
      }
      if (moved == -Errno.EAGAIN) {
        awaitRoom();
      }
    }
    return 0;
  }

  /** Reads what there is: the number of bytes, −1 when there is nothing now, or {@link #NOT_OPEN}. */
  private int read() throws ErrnoException {
    int total = 0;
    try {
      while (!buffer.full()) {
        int count = buffer.fill(pty.master());
        if (count <= 0) {
          break;
        }
        total += count;
      }
      return total > 0 ? total : -1;
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EIO) {
        throw e;
      }
      return total > 0 ? total : NOT_OPEN;
    }
  }

  private void await(int why) throws ErrnoException {
    buffer.release();
    try {
      if (why == NOT_OPEN) {
        Poller.shared().awaitData(pty.master());
      } else {
        Poller.shared().awaitReadable(pty.master());
      }
    } catch (InterruptedException e) {
      // another phase has begun
    }
  }

  /** Writes what was read, however long the client takes, until the phase {@code STOPPED}. */
  private void deliver() throws IOException {
    while (!buffer.empty() && phase.get() != Phase.STOPPED) {
      if (buffer.drain(to) < 0) {
        awaitRoom();
      }
    }
  }

  private void awaitRoom() throws ErrnoException {
    Deadline limit = pty.master().closed() ? Deadline.NEVER : hangUpLimit;
    try {
      if (!Poller.shared().awaitWritable(to, limit)) {
        pty.close();
      }
    } catch (InterruptedException e) {
      // another phase has begun
    }
  }

  /** The process has ended: lets the copy end once everything that it wrote has been delivered. */
  void end() {
    advance(Phase.ENDING);
  }

  /** The same, and then hangs the terminal up for those who still have it open. */
  void hangUp() {
    hangUpLimit = Deadline.in(HANG_UP_WAIT_MAX);
    advance(Phase.HANGING_UP);
  }

  /** Ends the copy now and waits for that; false when it hangs in the kernel and needs its descriptors still. */
  boolean stop() {
    advance(Phase.STOPPED);
    return Joins.join(thread, STOP_WAIT_MAX);
  }

  private void advance(Phase next) {
    Phase before = phase.getAndUpdate(now -> now.compareTo(next) < 0 ? next : now);
    if (before.compareTo(next) < 0) {
      thread.interrupt();
    }
  }

  /** Waits until the copy has ended; false when {@code deadline} passed first. */
  boolean awaitEnd(Deadline deadline) throws InterruptedException {
    return ended.await(deadline.nanosLeft(), TimeUnit.NANOSECONDS);
  }
}
