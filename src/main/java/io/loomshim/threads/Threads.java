package io.loomshim.threads;

/**
 * The one place where threads are made. Every thread is named after what it serves
 * ({@code rpc/State/web-1}, {@code exit/web-1}), so that a thread dump reads like a status page.
 *
 * <p>All methods may be called from any thread.
 */
public final class Threads {
  private Threads() {}

  /** Starts {@code task} on a new virtual thread called {@code name}. */
  public static Thread start(String name, Runnable task) {
    return Thread.ofVirtual().name(name).start(task);
  }

  /** Makes a virtual thread called {@code name} that the caller starts; an interrupt before that is not lost. */
  public static Thread unstarted(String name, Runnable task) {
    return Thread.ofVirtual().name(name).unstarted(task);
  }

  /** Has {@code task} run when the JVM is told to end, by SIGTERM for example. */
  public static void atShutdown(String name, Runnable task) {
    Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name(name).unstarted(task));
  }

  /**
   * Starts {@code task} on a new daemon platform thread: only for code that blocks in the kernel
   * by design (the poller) or changes state of its OS thread (a mount relative to a directory).
   */
  public static Thread startPlatform(String name, Runnable task) {
    return Thread.ofPlatform().name(name).daemon(true).start(task);
  }
}
