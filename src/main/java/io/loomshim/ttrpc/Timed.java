package io.loomshim.ttrpc;

/** Something that is due at a point in time unless it is taken back before; waits in a {@link DeadlineHeap}. */
abstract class Timed {
  // Guarded by the lock of Deadlines.
  int heapIndex = DeadlineHeap.ABSENT;

  /** When it is due, on the clock of {@link System#nanoTime}; does not change while it is in the heap. */
  abstract long dueNanos();

  /** The time has come, and it is in the heap no more. Runs on the thread {@code deadlines}; must not throw. */
  abstract void expire();
}
