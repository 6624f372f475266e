package io.loomshim.threads;

/**
 * Runs a task while it holds a monitor, as a library of the old style might: whenever that task waits, its virtual
 * thread keeps its carrier on JDK 21 to 23, and gives it up from JDK 24 on (JEP 491). Only for {@code threads=pinned}.
 */
record Pinned(Runnable task) implements Runnable {
  @Override
  public void run() {
    synchronized (this) {
      task.run();
    }
  }
}
