package io.loomshim.bench.loom;

import io.loomshim.bench.proc.Proc;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Counts the threads of a process again and again, on a thread of its own, until it is closed. */
final class Peak implements AutoCloseable {
  private final long pid;
  private final Duration pause;
  private final CountDownLatch end = new CountDownLatch(1);
  private final Thread thread;
  private volatile long most;

  Peak(long pid, Duration pause) {
    this.pid = pid;
    this.pause = pause;
    this.thread = Thread.ofPlatform().daemon().name("peak").start(this::run);
  }

  private void run() {
    try {
      do {
        most = Math.max(most, Proc.number(pid, "status", "Threads:"));
      } while (!end.await(pause.toMillis(), TimeUnit.MILLISECONDS));
    } catch (IOException e) {
      // the process has ended; what was seen stays
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The most that were seen so far. */
  long most() {
    return most;
  }

  @Override
  public void close() throws InterruptedException {
    end.countDown();
    thread.join();
  }
}
