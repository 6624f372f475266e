package io.loomshim.linux;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Native memory of one size for short uses. The last piece that was given back is kept for the next use, so that a
 * thread which makes one call after the other allocates nothing; others that come meanwhile have a piece of their own.
 * Any thread.
 */
final class SpareMemory {
  private final int bytes;
  private final AtomicLong kept = new AtomicLong();

  /** Pieces of {@code bytes}. */
  SpareMemory(int bytes) {
    this.bytes = bytes;
  }

  int bytes() {
    return bytes;
  }

  /** A piece with whatever is in it; {@link #give} must follow. */
  long take() {
    long address = kept.getAndSet(0);
    if (address == 0) {
      address = Native.MEMORY.allocateMemory(bytes, false);
    }
    if (address == 0) {
      throw new OutOfMemoryError("no native memory for " + bytes + " bytes");
    }
    return address;
  }

  /** Frees what is kept, at the end of its owner. */
  void drop() {
    Native.MEMORY.freeMemory(kept.getAndSet(0));
  }

  /** Gives it back. */
  void give(long address) {
    if (!kept.compareAndSet(0, address)) {
      Native.MEMORY.freeMemory(address);
    }
  }
}
