package io.loomshim.linux;

/**
 * Native memory through which one thread copies from one non-blocking descriptor to another. It is there only while
 * bytes are under way: a copy that waits gives it back with {@link #release}, so that a thousand idle ones hold none.
 *
 * <p>Used by one thread, which closes it.
 */
public final class CopyBuffer implements Passage {
  private final int capacity;
  private long address;
  private int start; // of the bytes that are still to be written
  private int end;

  /** A buffer of {@code capacity} bytes, which are reserved with the first {@link #fill}. */
  public CopyBuffer(int capacity) {
    this.capacity = capacity;
  }

  /** Reads behind what is still to be written. Call only when not {@link #full}. */
  @Override
  public int fill(Fd from) throws ErrnoException {
    assert !full();
    if (address == 0) {
      address = Native.MEMORY.allocateMemory(capacity, false);
      if (address == 0) {
        throw new ErrnoException("read", Errno.ENOMEM);
      }
    }
    int count = from.readTo(address + end, capacity - end);
    end += Math.max(0, count);
    return count;
  }

  @Override
  public int drain(Fd to) throws ErrnoException {
    int count = to.writeFrom(address + start, end - start);
    start += Math.max(0, count);
    if (start == end) {
      start = 0;
      end = 0;
    }
    return count;
  }

  @Override
  public boolean empty() {
    return start == end;
  }

  /** Whether there is no room to fill. */
  public boolean full() {
    return end == capacity;
  }

  @Override
  public void release() {
    assert empty();
    close();
  }

  /** Gives the memory back, and what is in it up. */
  @Override
  public void close() {
    if (address != 0) {
      Native.MEMORY.freeMemory(address);
      address = 0;
    }
    start = 0;
    end = 0;
  }
}
