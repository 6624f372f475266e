package io.loomshim.stdio;

import io.loomshim.linux.CopyBuffer;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Passage;
import io.loomshim.linux.Poller;
import io.loomshim.linux.StagedBytes;
import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Copies a stream to or from what is no pipe: a file that is appended to, which splice(2) refuses, a device, a file as
 * stdin. A write to a file may wait for a disk or a network, so bytes are copied on a platform thread. That stays for a
 * moment after the last of them; a stream that has nothing to say for longer is waited for on a virtual thread, without
 * a buffer.
 *
 * <p>What a file does not take (no space left, a failing disk) is dropped, and what follows is tried again, as a
 * process that writes to the file itself would see it.
 */
final class FilePump implements Pump {
  /** Between the name of a stream and that of an end, in the roles of what is held. */
  static final String TO_FILE = ".file";
  static final String FROM_FILE = ".in";
  /** At the end of the role of what holds bytes on their way to a file. */
  static final String STAGE = ".stage";

  private static final int BUFFER_BYTES = 64 * 1024;

  /** How long the platform thread stays without anything to copy. */
  private static final Duration STAY = Duration.ofSeconds(1);

  /** Between two tries to start a thread while there are none to be had. */
  private static final long SCARCE_PAUSE_NANOS = 100_000_000;

  private final String name;
  private final Fd from;
  private final Fd to;
  private final boolean alwaysReady; // whether the source is one that need not be waited for
  private final Optional<StagedBytes> stage; // where bytes outlive the daemon
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread waiting;
  private volatile boolean finishing;
  private volatile boolean stopped;
  private volatile Runnable onEnd = Held::none;

  // Of the waiting thread. Not a join: that of a platform thread holds the carrier in JDK 21.
  private Thread copying;
  private CountDownLatch copied;

  // Of the copying thread; those that follow one another see it by the latch and the start.
  private boolean atEnd;
  private boolean warned;
  private int afterwards; // bytes that were copied since it is to be finished

  private FilePump(String name, Fd from, Fd to, boolean alwaysReady, Optional<StagedBytes> stage) {
    this.name = name;
    this.from = from;
    this.to = to;
    this.alwaysReady = alwaysReady;
    this.stage = stage;
    this.waiting = Threads.unstarted(name, this::run);
  }

  /**
   * Begins to copy; takes ownership of both descriptors.
   *
   * @param from a non-blocking pipe
   * @param to a file or device, which may block
   */
  static FilePump toFile(String name, Fd from, Fd to) {
    return started(new FilePump(name, from, to, false, Outliving.stage()));
  }

  /** Goes on with what was on its way to a file in {@code stage}, which this takes ownership of too. */
  static FilePump toFile(String name, Fd from, Fd to, Fd stage) throws ErrnoException {
    return started(new FilePump(name, from, to, false, Optional.of(StagedBytes.resume(stage, to))));
  }

  /** The same from a file to a non-blocking pipe. */
  static FilePump fromFile(String name, Fd from, Fd to) {
    return started(new FilePump(name, from, to, true, Optional.empty()));
  }

  @Override
  public void onEnd(Runnable action) {
    onEnd = action;
    if (ended.getCount() == 0) {
      action.run();
    }
  }

  @Override
  public List<Held> held(String name) {
    String kind = name + (alwaysReady ? FROM_FILE : TO_FILE);
    if (from.closed() || to.closed()) {
      return List.of();
    }
    var held = new ArrayList<>(List.of(new Held(kind + Held.FROM, from), new Held(kind + Held.TO, to)));
    stage.ifPresent(bytes -> held.add(new Held(kind + STAGE, bytes.memory())));
    return held;
  }

  private static FilePump started(FilePump pump) {
    pump.waiting.start();
    return pump;
  }

  /** What the thread {@code NAME} does. */
  private void run() {
    try {
      while (!atEnd && !stopped) {
        awaitBytes();
        startCopying();
        joinCopying();
      }
    } catch (ErrnoException e) {
      warn(e);
    } finally {
      from.close();
      to.close();
      stage.ifPresent(bytes -> bytes.memory().close());
      ended.countDown();
      onEnd.run();
    }
  }

  private void awaitBytes() throws ErrnoException {
    if (alwaysReady || finishing || stage.isPresent() && !stage.get().empty()) {
      return;
    }
    try {
      Poller.shared().awaitReadable(from);
    } catch (InterruptedException e) {
      // to be finished or stopped
    }
  }

  private void startCopying() {
    while (true) {
      try {
        var done = new CountDownLatch(1);
        copied = done;
        copying = Threads.startPlatform(name, () -> copyUntil(done));
        return;
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(SCARCE_PAUSE_NANOS); // no thread to be had now
      }
    }
  }

  /** The descriptors are its own as long as it runs. */
  private void joinCopying() {
    while (true) {
      try {
        copied.await();
        return;
      } catch (InterruptedException e) {
        copying.interrupt();
      }
    }
  }

  private void copyUntil(CountDownLatch done) {
    try {
      copyWhatComes();
    } finally {
      done.countDown();
    }
  }

  private void copyWhatComes() {
    if (alwaysReady && Outliving.wanted() && spliceAll()) {
      return;
    }
    try (Passage buffer = stage.isPresent() ? stage.get() : new CopyBuffer(BUFFER_BYTES)) {
      deliver(buffer); // what another daemon has left
      while (!stopped && !atEnd) {
        int count = buffer.fill(from);
        if (count > 0) {
          deliver(buffer);
          afterwards += finishing ? count : 0;
          atEnd = afterwards >= BUFFER_BYTES; // a pipe holds no more
        } else if (count == 0) {
          atEnd = true;
        } else if (!more(buffer)) {
          return;
        }
      }
    } catch (IOException e) {
      warn(e);
      atEnd = true;
    }
  }

  /** Has the kernel move a file that is read as stdin; false where it does not. */
  private boolean spliceAll() {
    try {
      while (!stopped && !atEnd) {
        long moved = from.splice(to, BUFFER_BYTES);
        if (moved == -Errno.EINVAL) {
          return false; // a device
        }
        atEnd = moved == 0;
        if (moved == -Errno.EAGAIN) {
          Poller.shared().awaitWritable(to);
        } else if (moved < 0 && moved != -Errno.EINTR) {
          throw new ErrnoException("splice", (int) -moved);
        }
      }
    } catch (InterruptedException e) {
      return spliceAll(); // to be finished or stopped
    } catch (ErrnoException e) {
      warn(e);
      atEnd = true;
    }
    return true;
  }

  /** Waits for more for a moment; false when none came. */
  private boolean more(Passage buffer) throws ErrnoException {
    atEnd = finishing;
    if (atEnd) {
      return false;
    }
    buffer.release();
    try {
      return Poller.shared().awaitReadable(from, Deadline.in(STAY));
    } catch (InterruptedException e) {
      return true;
    }
  }

  private void deliver(Passage buffer) throws IOException {
    while (!buffer.empty() && !stopped) {
      try {
        if (buffer.drain(to) < 0) {
          Poller.shared().awaitWritable(to);
        }
      } catch (InterruptedException e) {
        // to be finished or stopped
      } catch (ErrnoException e) {
        if (alwaysReady) {
          throw e; // the process reads its stdin no more
        }
        buffer.close();
        warn(e);
      }
    }
  }

  private void warn(IOException e) {
    if (!warned) {
      warned = true;
      Log.warn("error copying", "stream", name, "error", String.valueOf(e.getMessage()));
    }
  }

  @Override
  public boolean awaitEnd(Deadline deadline) throws InterruptedException {
    return ended.await(deadline.nanosLeft(), TimeUnit.NANOSECONDS);
  }

  @Override
  public void finish() {
    finishing = true;
    waiting.interrupt();
  }

  @Override
  public void stop() {
    stopped = true;
    waiting.interrupt();
  }
}
