package io.loomshim.linux;

import io.loomshim.log.Log;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A step that may wait for a file system which somebody else has chosen: a path look-up, an open, a mount, the start of
 * a program. The kernel gives no way to do that without waiting, and a virtual thread that waits in the kernel keeps
 * its carrier; two dead file systems would hold them all. So the step runs on a platform thread of {@link AsideThreads}
 * while its caller, a virtual thread, is parked, and can be interrupted. A step that its caller does not wait for any
 * longer goes on until the kernel lets it, and what it has made by then is taken back ({@link Undoing}).
 *
 * <p>What is left of a step's work when its caller has gone is the step's: it must not use what the caller may free or
 * close meanwhile.
 *
 * <p>Begun and awaited by one thread; run by another. {@code stage} is the only thing that both write.
 */
public final class Aside<T> {
  /** What to do. It may begin other steps: they run on the same thread. */
  @FunctionalInterface
  public interface Step<T> {
    T run() throws IOException, InterruptedException;
  }

  /** Takes back what a step has made that nobody waits for any more; on the thread of the step. */
  @FunctionalInterface
  public interface Undoing<T> {
    void undo(T result) throws IOException, InterruptedException;
  }

  /** What is done when something is given up. */
  @FunctionalInterface
  public interface Last {
    void run() throws IOException, InterruptedException;
  }

  /** How long {@link #finish} waits: long for a file system that works, not for a client whose deadline has passed. */
  static final Duration FINISH_WAIT_MAX = Duration.ofMillis(100);

  /** The undoing of what needs none. */
  private static final Undoing<Object> NOTHING = result -> { };

  /**
   * One step that is under way, for whoever asks.
   *
   * @param what it does, with the path
   * @param caller the thread that has begun it
   * @param callerName how that was called then
   * @param startNanos {@link System#nanoTime} at its beginning
   * @param left whether nobody waits for it any more
   */
  public record Running(String what, Thread caller, String callerName, long startNanos, boolean left) {}

  /** LEFT by its caller while it runs, DROPPED before that. */
  private enum Stage { WAITING, RUNS, DONE, LEFT, DROPPED }

  final String what;
  final String caller;
  final String owner;
  final boolean patient;
  final long startNanos = System.nanoTime();
  private final Step<T> step;
  private final Undoing<? super T> undoing;
  final Thread thread = Thread.currentThread();
  private final AtomicReference<Stage> stage = new AtomicReference<>(Stage.WAITING);
  private final CountDownLatch over = new CountDownLatch(1);
  private volatile boolean late;

  /** Whether it waits for a thread; written under the lock of {@link AsideThreads}. */
  volatile boolean queued;
  volatile long growNanos; // when another thread is to be made for it

  // Written by the thread of the step before DONE, read by the caller after it.
  private T result;
  private Throwable failure;

  private Aside(String what, boolean patient, Step<T> step, Undoing<? super T> undoing) {
    this.what = what;
    this.patient = patient;
    this.caller = thread.getName();
    this.owner = AsideThreads.owner(caller);
    this.step = step;
    this.undoing = undoing;
  }

  /**
   * Runs {@code step} and waits for it.
   *
   * @param what it does, with the path: {@code open /x}
   * @throws InterruptedException if this thread was interrupted; the step may go on
   * @throws AsideException if too many steps wait already, or after {@link AsideThreads#WAIT_MAX}
   */
  public static <T> T run(String what, Step<T> step) throws IOException, InterruptedException {
    return run(what, step, NOTHING);
  }

  /** The same for a step that makes something that must not stay when nobody has waited for it. */
  public static <T> T run(String what, Step<T> step, Undoing<? super T> undoing)
      throws IOException, InterruptedException {
    return AsideThreads.mine() ? step.run() : begin(what, step, undoing).await();
  }

  /** Begins {@code step}; {@link #await} must follow. */
  public static <T> Aside<T> begin(String what, Step<T> step, Undoing<? super T> undoing) throws AsideException {
    var aside = new Aside<T>(what, false, step, undoing);
    AsideThreads.submit(aside, false);
    return aside;
  }

  /**
   * Does what takes something back: to its end in any case, while this waits for {@link #FINISH_WAIT_MAX} only and an
   * interrupt stays pending. A failure is logged.
   */
  public static void finish(String what, Last last) {
    Step<Void> step = () -> {
      try {
        last.run();
      } catch (IOException | RuntimeException e) {
        Log.warn("clean-up incomplete", "step", what, "error", String.valueOf(e.getMessage()));
      }
      return null;
    };
    try {
      if (AsideThreads.mine()) {
        step.run();
        return;
      }
      var aside = new Aside<Void>(what, true, step, NOTHING);
      AsideThreads.submit(aside, true);
      aside.awaitOver(FINISH_WAIT_MAX);
    } catch (IOException | InterruptedException e) {
      Log.warn("clean-up incomplete", "step", what, "error", String.valueOf(e.getMessage()));
    }
  }

  /**
   * Runs a step that does not outlive its caller, as it uses what is the caller's: an interrupt stays pending. It waits
   * for as long as it takes, for a thread too.
   */
  public static <T> T runToEnd(String what, Step<T> step) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      if (AsideThreads.mine()) {
        return step.run();
      }
      var aside = new Aside<T>(what, true, step, NOTHING);
      AsideThreads.submit(aside, false);
      while (aside.stage.get() != Stage.DONE) {
        aside.park(Long.MAX_VALUE);
        interrupted |= Thread.interrupted();
      }
      return aside.outcome();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e); // nobody interrupts the threads of steps
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * To be called within a step that starts a program which lives on: that may have asked to be told of the end of the
   * thread that has started it (prctl(2), PR_SET_PDEATHSIG), so this thread will not end.
   */
  public static void stay() {
    AsideThreads.stay();
  }

  /** To be called once, before processes are scarce: makes the first thread. */
  public static void prepare() {
    AsideThreads.prepare();
  }

  /** Whether this thread may wait for a file system: any but a virtual one. */
  public static boolean allowed() {
    return !Thread.currentThread().isVirtual();
  }

  /** The steps that run now, the oldest first. */
  public static List<Running> running() {
    return AsideThreads.running();
  }

  /** Waits for the end of the step; to be called once, by the thread that has begun it. */
  public T await() throws IOException, InterruptedException {
    return await(AsideThreads.WAIT_MAX);
  }

  /** The same until at most {@code limit} after its beginning, if that is shorter. */
  public T await(Duration limit) throws IOException, InterruptedException {
    boolean limited = limit.compareTo(AsideThreads.WAIT_MAX) < 0;
    while (stage.get() != Stage.DONE) {
      if (Thread.interrupted()) {
        if (leave()) {
          throw new InterruptedException(what);
        }
        Thread.currentThread().interrupt(); // it has just ended: the caller meets the interrupt at its next wait
        break;
      }
      if (late && leave()) {
        throw AsideException.late(what);
      }
      long left = limited ? startNanos + limit.toNanos() - System.nanoTime() : Long.MAX_VALUE;
      late |= left <= 0;
      if (left > 0) {
        park(left);
      }
    }
    return outcome();
  }

  private void park(long nanosMax) throws AsideException {
    boolean parked = false;
    try {
      AsideThreads.park(this, nanosMax);
      parked = true;
    } finally {
      if (!parked) {
        leave(); // there is no thread for it
      }
    }
  }

  private T outcome() throws IOException, InterruptedException {
    if (failure == null) {
      return result;
    }
    switch (failure) {
      case IOException e -> throw e;
      case InterruptedException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }

  /** Waits until nothing of the step goes on, its undoing included; not cut short by an interrupt. */
  public void awaitOver() {
    awaitOver(Duration.ofNanos(Long.MAX_VALUE));
  }

  private void awaitOver(Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    boolean interrupted = false;
    while (true) {
      try {
        over.await(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The caller waits no longer; false if the step has just ended. */
  private boolean leave() {
    if (stage.compareAndSet(Stage.WAITING, Stage.DROPPED)) {
      AsideThreads.forget(this);
      over.countDown(); // it will never run
      return true;
    }
    return stage.compareAndSet(Stage.RUNS, Stage.LEFT);
  }

  /** Has the caller give up, if it still waits. */
  void expire() {
    late = true;
    LockSupport.unpark(thread);
  }

  boolean left() {
    return stage.get() == Stage.LEFT;
  }

  /** Whether its caller has gone before it began: it never will. */
  boolean dropped() {
    return stage.get() == Stage.DROPPED;
  }

  /** On the thread of the step. */
  void run() {
    if (!stage.compareAndSet(Stage.WAITING, Stage.RUNS)) {
      return;
    }
    try {
      result = step.run();
    } catch (Throwable e) {
      failure = e;
    }
    if (stage.compareAndSet(Stage.RUNS, Stage.DONE)) {
      over.countDown();
      LockSupport.unpark(thread);
    } else {
      undo();
    }
  }

  private void undo() {
    try {
      Log.warn("a file system has answered late", "step", what, "caller", caller, "error", String.valueOf(failure));
      if (failure == null) {
        undoing.undo(result);
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      Log.warn("clean-up incomplete", "step", what, "error", String.valueOf(e.getMessage()));
    } finally {
      over.countDown();
    }
  }
}
