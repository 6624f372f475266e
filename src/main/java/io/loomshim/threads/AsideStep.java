package io.loomshim.threads;

import io.loomshim.log.Log;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Where a step of {@link Aside} stands: it waits for a thread, runs, and is done, or its caller has left it and what it
 * has made is taken back. Begun and left by the caller's thread, run by another; {@code stage} is the only thing that
 * both write.
 */
final class AsideStep<T> {
  /** LEFT by its caller while it runs, DROPPED before that. */
  private enum Stage { WAITING, RUNS, DONE, LEFT, DROPPED }

  final String what;
  final Thread thread = Thread.currentThread(); // the caller's
  final String caller;
  final String owner;
  final boolean patient;
  final long startNanos = System.nanoTime();
  private final Aside.Step<T> step;
  private final Aside.Undoing<? super T> undoing;
  private final AtomicReference<Stage> stage = new AtomicReference<>(Stage.WAITING);
  private final CountDownLatch over = new CountDownLatch(1);
  private volatile boolean late;

  /** Whether it waits for a thread; written under the lock of {@link AsideThreads}. */
  volatile boolean queued;
  volatile long growNanos; // when another thread is to be made for it

  // Written by the thread of the step before DONE, read by the caller after it.
  private T result;
  private Throwable failure;

  /**
   * A step of the calling thread.
   *
   * @param patient whether it waits for a thread for as long as it takes
   */
  AsideStep(String what, boolean patient, Aside.Step<T> step, Aside.Undoing<? super T> undoing) {
    this.what = what;
    this.patient = patient;
    this.caller = thread.getName();
    this.owner = owner(caller);
    this.step = step;
    this.undoing = undoing;
  }

  /** What a thread called {@code name} serves, without an exec: {@code web-1} of {@code rpc/Start/web-1/probe}. */
  private static String owner(String name) {
    String[] words = name.split("/", 4);
    return words.length < 2 ? name : words[0].equals("rpc") && words.length > 2 ? words[2] : words[1];
  }

  /** Whether it has ended while its caller waited. */
  boolean done() {
    return stage.get() == Stage.DONE;
  }

  /** Whether its caller has gone while it ran. */
  boolean left() {
    return stage.get() == Stage.LEFT;
  }

  /** Whether its caller has gone before it began: it never will. */
  boolean dropped() {
    return stage.get() == Stage.DROPPED;
  }

  /** Whether it has been told that it takes too long. */
  boolean late() {
    return late;
  }

  /** Has the caller give up, if it still waits. */
  void expire() {
    late = true;
    LockSupport.unpark(thread);
  }

  /** The caller waits no longer; false if the step has just ended. */
  boolean leave() {
    if (stage.compareAndSet(Stage.WAITING, Stage.DROPPED)) {
      AsideThreads.shared().forget(this);
      over.countDown(); // it will never run
      return true;
    }
    return stage.compareAndSet(Stage.RUNS, Stage.LEFT);
  }

  /** What it has returned or thrown; only for the caller, once it is {@link #done}. */
  T outcome() throws IOException, InterruptedException {
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

  /** Waits until nothing of it goes on, its undoing included; not cut short by an interrupt. */
  void awaitOver(Duration limit) {
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
