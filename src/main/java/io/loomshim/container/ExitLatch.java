package io.loomshim.container;

import java.util.concurrent.CountDownLatch;

/** The end of one process, for those who wait for it. Any thread waits and reads; the exit thread opens it. */
final class ExitLatch {
  private volatile Exit exit = Exit.NONE;
  private volatile CountDownLatch latch = new CountDownLatch(1);

  /** How the process ended, or {@link Exit#NONE}. */
  Exit exit() {
    return exit;
  }

  /** Keeps {@code exit}, but lets no one go yet: what must happen before they see it comes between. */
  void record(Exit exit) {
    this.exit = exit;
  }

  /** Lets all go who wait now or later. */
  void open() {
    latch.countDown();
  }

  /** Lets those go who wait now, for a process that did not start and may be started again. */
  void release() {
    CountDownLatch old = latch;
    latch = new CountDownLatch(1);
    old.countDown();
  }

  /** Waits for the end. */
  Exit await() throws InterruptedException {
    latch.await();
    return exit;
  }

  /** The same, for at most {@code millis}. */
  void await(long millis) throws InterruptedException {
    latch.await(millis, java.util.concurrent.TimeUnit.MILLISECONDS);
  }
}
