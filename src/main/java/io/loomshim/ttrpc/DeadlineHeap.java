package io.loomshim.ttrpc;

import java.util.Arrays;

/**
 * What is due, the earliest first: mostly calls by their deadlines. A call leaves far more often than it expires, so
 * each knows its place ({@link Timed#heapIndex}) and leaves in O(log n), where java.util's queue would search. Guarded
 * by the lock of {@link Deadlines}.
 */
final class DeadlineHeap {
  /** The index of what is not in the heap. */
  static final int ABSENT = -1;

  private static final int CAPACITY = 16;

  private Timed[] heap = new Timed[CAPACITY];
  private int size;

  int size() {
    return size;
  }

  /** Returns what is due first; there must be something. */
  Timed first() {
    return heap[0];
  }

  /** Adds what is not in the heap. */
  void add(Timed timed) {
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    siftUp(size++, timed);
  }

  /** Takes it out; a no-op when it is not in. */
  void remove(Timed timed) {
    int hole = timed.heapIndex;
    if (hole == ABSENT) {
      return;
    }
    timed.heapIndex = ABSENT;
    Timed last = heap[--size];
    heap[size] = null;
    if (last == timed) {
      return;
    }
    siftDown(hole, last);
    if (heap[hole] == last) {
      siftUp(hole, last);
    }
  }

  private void siftUp(int hole, Timed timed) {
    int at = hole;
    while (at > 0) {
      int parent = at - 1 >>> 1;
      if (heap[parent].dueNanos() - timed.dueNanos() <= 0) {
        break;
      }
      place(at, heap[parent]);
      at = parent;
    }
    place(at, timed);
  }

  private void siftDown(int hole, Timed timed) {
    int at = hole;
    for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && heap[child + 1].dueNanos() - heap[child].dueNanos() < 0) {
        child++;
      }
      if (timed.dueNanos() - heap[child].dueNanos() <= 0) {
        break;
      }
      place(at, heap[child]);
      at = child;
    }
    place(at, timed);
  }

  private void place(int at, Timed timed) {
    heap[at] = timed;
    timed.heapIndex = at;
  }
}
