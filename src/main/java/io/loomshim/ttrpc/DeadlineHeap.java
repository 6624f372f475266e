package io.loomshim.ttrpc;

import java.util.Arrays;

/**
 * Calls by deadline, the earliest first. A call leaves far more often than it expires, so each knows its
 * place ({@link Call#heapIndex}) and leaves in O(log n), where java.util's queue would search. Guarded by
 * the lock of {@link Deadlines}.
 */
final class DeadlineHeap {
  /** The index of a call that is not in the heap. */
  static final int ABSENT = -1;

  private static final int CAPACITY = 16;

  private Call[] heap = new Call[CAPACITY];
  private int size;

  int size() {
    return size;
  }

  /** Returns the call with the earliest deadline; there must be one. */
  Call first() {
    return heap[0];
  }

  /** Adds a call that is not in the heap. */
  void add(Call call) {
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    siftUp(size++, call);
  }

  /** Takes a call out; a no-op when it is not in. */
  void remove(Call call) {
    int hole = call.heapIndex;
    if (hole == ABSENT) {
      return;
    }
    call.heapIndex = ABSENT;
    Call last = heap[--size];
    heap[size] = null;
    if (last == call) {
      return;
    }
    siftDown(hole, last);
    if (heap[hole] == last) {
      siftUp(hole, last);
    }
  }

  private void siftUp(int hole, Call call) {
    int at = hole;
    while (at > 0) {
      int parent = at - 1 >>> 1;
      if (heap[parent].deadlineNanos() - call.deadlineNanos() <= 0) {
        break;
      }
      place(at, heap[parent]);
      at = parent;
    }
    place(at, call);
  }

  private void siftDown(int hole, Call call) {
    int at = hole;
    for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && heap[child + 1].deadlineNanos() - heap[child].deadlineNanos() < 0) {
        child++;
      }
      if (call.deadlineNanos() - heap[child].deadlineNanos() <= 0) {
        break;
      }
      place(at, heap[child]);
      at = child;
    }
    place(at, call);
  }

  private void place(int at, Call call) {
    heap[at] = call;
    call.heapIndex = at;
  }
}
