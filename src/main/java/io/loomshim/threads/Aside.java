package io.loomshim.threads;

import io.loomshim.log.Log;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * A step that may wait for a file system which a client has chosen: a path look-up, an open, a mount, the start of
 * a program. The kernel gives no way to do that without waiting, and a virtual thread that waits in the kernel keeps
 * its carrier; two dead file systems would hold them all. So the step runs on a platform thread of {@link AsideThreads}
 * while its caller, a virtual thread, is parked, and can be interrupted. A step that its caller does not wait for any
 * longer goes on until the kernel lets it, and what it has made by then is taken back ({@link Undoing}).
 *
 * <p>What is left of a step's work when its caller has gone is the step's: it must not use what the caller may free or
 * close meanwhile.
 *
 * <p>Steps on the way of every container are classes and not lambdas, which take a new daemon a millisecond each.
 *
 * <p>Begun and awaited by one thread; run by another.
 */
public final class Aside<T> {
  /** What to do. It may begin other steps: they run on the same thread. */
  @FunctionalInterface
  public interface Step<T> {
    T run() throws IOException, InterruptedException;
  }

  /** Takes back what a step has made whose caller waits no longer; on the thread of the step. */
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
  private static final Undoing<Object> NOTHING = new Undoing<>() {
    @Override
    public void undo(Object result) {
      // that was it
    }
  };

  /** What {@link #finish} does, as a step. */
  private record Finishing(String what, Last last) implements Step<Void> {
    @Override
    public Void run() throws InterruptedException {
      try {
        last.run();
      } catch (IOException | RuntimeException e) {
        Log.warn("clean-up incomplete", "step", what, "error", String.valueOf(e.getMessage()));
      }
      return null;
    }
  }

  /**
   * One step that is under way, for reports.
   *
   * @param what it does, with the path
   * @param caller the thread that has begun it
   * @param callerName how that was called then
   * @param startNanos {@link System#nanoTime} at its beginning
   * @param left whether its caller waits no longer
   */
  public record Running(String what, Thread caller, String callerName, long startNanos, boolean left) {}

  private final AsideStep<T> step;

  private Aside(AsideStep<T> step) {
    this.step = step;
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

  /** The same for a step that makes something that must not stay when its caller has not waited for it. */
  public static <T> T run(String what, Step<T> step, Undoing<? super T> undoing)
      throws IOException, InterruptedException {
    return AsideThread.mine() ? step.run() : begin(what, step, undoing).await();
  }

  /** The same for at most {@code limit}, for a step that makes nothing. */
  public static <T> T run(String what, Step<T> step, Duration limit) throws IOException, InterruptedException {
    return AsideThread.mine() ? step.run() : begin(what, step, NOTHING).await(limit);
  }

  /** Begins {@code step}, which makes nothing that must not stay; {@link #await} must follow. */
  public static <T> Aside<T> begin(String what, Step<T> step) throws AsideException {
    return begin(what, step, NOTHING);
  }

  /** Begins {@code step}; {@link #await} must follow. */
  public static <T> Aside<T> begin(String what, Step<T> step, Undoing<? super T> undoing) throws AsideException {
    var begun = new AsideStep<T>(what, false, step, undoing);
    AsideThreads.shared().submit(begun, false);
    return new Aside<>(begun);
  }

  /**
   * Does what takes something back: to its end in any case, while this waits for {@link #FINISH_WAIT_MAX} only and an
   * interrupt stays pending. A failure is logged.
   */
  public static void finish(String what, Last last) {
    var step = new Finishing(what, last);
    try {
      if (AsideThread.mine()) {
        step.run();
        return;
      }
      var begun = new AsideStep<Void>(what, true, step, NOTHING);
      AsideThreads.shared().submit(begun, true);
      begun.awaitOver(FINISH_WAIT_MAX);
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
      if (AsideThread.mine()) {
        return step.run();
      }
      var begun = new AsideStep<T>(what, true, step, NOTHING);
      AsideThreads.shared().submit(begun, false);
      while (!begun.done()) {
        park(begun, Long.MAX_VALUE);
        interrupted |= Thread.interrupted();
      }
      return begun.outcome();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e); // the threads of steps are not interrupted
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
    AsideThread.stay();
  }

  /** To be called once, before processes are scarce: makes the first thread, which stays. */
  public static void prepare() {
    finish("nothing", new Last() {
      @Override
      public void run() {
        stay();
      }
    });
  }

  /** Whether this thread may wait for a file system: any but a virtual one. */
  public static boolean allowed() {
    return !Thread.currentThread().isVirtual();
  }

  /** The steps that run now, the oldest first. */
  public static List<Running> running() {
    return AsideThreads.shared().running();
  }

  /** Waits for the end of the step; to be called once, by the thread that has begun it. */
  public T await() throws IOException, InterruptedException {
    return await(AsideThreads.WAIT_MAX);
  }

  /** The same until at most {@code limit} after its beginning, if that is shorter. */
  private T await(Duration limit) throws IOException, InterruptedException {
    boolean limited = limit.compareTo(AsideThreads.WAIT_MAX) < 0;
    boolean late = false;
    while (!step.done()) {
      if (Thread.interrupted()) {
        if (step.leave()) {
          throw new InterruptedException(step.what);
        }
        Thread.currentThread().interrupt(); // it has just ended: the caller meets the interrupt at its next wait
        break;
      }
      if ((late || step.late()) && step.leave()) {
        throw AsideException.late(step.what);
      }
      long left = limited ? step.startNanos + limit.toNanos() - System.nanoTime() : Long.MAX_VALUE;
      late |= left <= 0;
      if (left > 0) {
        park(step, left);
      }
    }
    return step.outcome();
  }

  private static void park(AsideStep<?> step, long nanosMax) throws AsideException {
    boolean parked = false;
    try {
      AsideThreads.shared().park(step, nanosMax);
      parked = true;
    } finally {
      if (!parked) {
        step.leave(); // there is no thread for it
      }
    }
  }

  /** Waits until nothing of the step goes on, its undoing included; not cut short by an interrupt. */
  public void awaitOver() {
    step.awaitOver(Duration.ofNanos(Long.MAX_VALUE));
  }

  /** Whether its caller has gone before it began: it never will. */
  public boolean dropped() {
    return step.dropped();
  }
}
