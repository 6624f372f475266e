package io.loomshim.threads;

import java.util.Optional;

/**
 * The one place where threads are made. Every thread is named after what it serves
 * ({@code rpc/State/web-1}, {@code exit/web-1}), so that a thread dump reads like a status page.
 *
 * <p>They are virtual threads, unless {@link #use} has chosen platform threads: everything else is the same code, so
 * that the two can be compared. The choice is a registry of the process, made once at its start. All methods may be
 * called from any thread.
 */
public final class Threads {
  /** What {@link #use} takes for a limited number of threads for calls, before the number. */
  private static final String FIXED = "fixed:";

  private static volatile boolean virtual = true;
  private static volatile boolean pinned;
  private static volatile Optional<CallLimit> calls = Optional.empty();

  private Threads() {}

  /**
   * Chooses how threads are made from now on; to be called before the first one.
   *
   * @param kind {@code virtual}; {@code platform}, an operating system's thread each; {@code fixed:N}, the same but at
   *     most N of them do calls at once, see {@link #beginCall}; or {@code pinned}, virtual threads that hold a
   *     monitor as long as they live, to show what that costs before JEP 491
   * @throws IllegalArgumentException if it is none of these, with a text for the user
   */
  public static void use(String kind) {
    Optional<CallLimit> limited = kind.startsWith(FIXED) ? Optional.of(fixed(kind)) : Optional.empty();
    if (limited.isEmpty() && !kind.equals("virtual") && !kind.equals("platform") && !kind.equals("pinned")) {
      throw new IllegalArgumentException("threads=" + kind + " is none of virtual, platform, fixed:N, pinned");
    }
    calls = limited;
    pinned = kind.equals("pinned");
    virtual = pinned || kind.equals("virtual");
  }

  private static CallLimit fixed(String kind) {
    int count = 0;
    try {
      count = Integer.parseInt(kind.substring(FIXED.length()));
    } catch (NumberFormatException e) {
      // told below
    }
    if (count < 1) {
      throw new IllegalArgumentException("threads=" + kind + ": the number of threads must be 1 or more");
    }
    return new CallLimit(count);
  }

  /** Starts {@code task} on a new thread called {@code name}. */
  public static Thread start(String name, Runnable task) {
    Thread thread = unstarted(name, task);
    thread.start();
    return thread;
  }

  /** Makes a thread called {@code name} that the caller starts; an interrupt before that is not lost. */
  public static Thread unstarted(String name, Runnable task) {
    if (virtual) {
      return Thread.ofVirtual().name(name).unstarted(pinned ? new Pinned(task) : task);
    }
    return Thread.ofPlatform().name(name).daemon(true).unstarted(task);
  }

  /**
   * To be called by the thread of a call that may have to wait, before it begins its work; with {@code fixed:N} it
   * waits here for its turn. {@link #endCall} must follow, unless this throws.
   *
   * @throws NoThreadException with {@code fixed:N} only, if its turn has not come within {@link CallLimit#WAIT_MAX}
   */
  public static void beginCall() throws NoThreadException, InterruptedException {
    if (calls.isPresent()) {
      calls.get().enter();
    }
  }

  /** Whether calls have to wait for turns. */
  public static boolean inTurns() {
    return calls.isPresent();
  }

  /** The call has done its work. */
  public static void endCall() {
    if (calls.isPresent()) {
      calls.get().leave();
    }
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
