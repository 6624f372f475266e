package io.loomshim.linux;

/**
 * Bytes on their way from a pipe to a file, in a file in memory (memfd_create(2)) that another process may go on with:
 * the kernel moves them from the pipe (splice(2)), so at each moment they are in the one or the other.
 *
 * <p>How many of them have been written stands in the positions of both files, which belong to the open files and not
 * to a process. That of the file in memory is 1 more than the length of the target before the first write, or 0 before
 * that is known; that of the target is 0 until a write(2), which leaves it behind what it has appended. Where others
 * append to the target too, bytes may be left out after a write that was cut short. A target without positions, a
 * terminal for example, may get bytes twice.
 *
 * <p>Used by one thread.
 */
public final class StagedBytes implements Passage {
  /** What a pipe holds by default. */
  private static final int CAPACITY_BYTES = 64 << 10;

  // splice(2), lseek(2)
  private static final int SPLICE_F_NONBLOCK = 2;
  private static final int SEEK_SET = 0;
  private static final int SEEK_CUR = 1;
  private static final int SEEK_END = 2;

  private static final long SPLICE = Native.function("splice");
  private static final long LSEEK = Native.function("lseek64");
  private static final long PREAD = Native.function("pread64");

  private final Fd memory;
  private boolean begun; // the length of the target is known
  private int start; // of the bytes that are still to be written
  private int end;

  private StagedBytes(Fd memory) {
    this.memory = memory;
  }

  /** An empty one; fails with EMFILE and the like. */
  public static StagedBytes make() throws ErrnoException {
    return new StagedBytes(MemoryFile.unlimited());
  }

  /** Goes on with the {@link #memory} of another process, on the way to {@code to}. */
  public static StagedBytes resume(Fd memory, Fd to) throws ErrnoException {
    var bytes = new StagedBytes(memory);
    long before = Native.callLong(LSEEK, memory.number(), 0, SEEK_CUR);
    bytes.end = (int) (before + memory.held()); // of a file the bytes behind its position
    if (bytes.end > 0 && before > 0) {
      long written = Native.callLong(LSEEK, to.number(), 0, SEEK_CUR) - (before - 1);
      bytes.begun = true;
      bytes.start = (int) Math.max(0, Math.min(bytes.end, written));
    }
    if (bytes.empty()) {
      bytes.close();
    }
    return bytes;
  }

  /** What another process needs to go on; it stays this object's, and is closed by the caller at last. */
  public Fd memory() {
    return memory;
  }

  @Override
  public int fill(Fd from) throws ErrnoException {
    assert empty();
    try (var arena = new Arena(Long.BYTES)) {
      long offset = arena.bytes(Long.BYTES); // 0: the position does not move
      long count;
      do {
        count = Native.callLong(SPLICE, from.number(), 0, memory.number(), offset, CAPACITY_BYTES, SPLICE_F_NONBLOCK);
      } while (count == -Errno.EINTR);
      if (count == -Errno.EAGAIN) {
        return -1;
      }
      end = ErrnoException.check("splice", (int) count);
      return end;
    }
  }

  @Override
  public int drain(Fd to) throws ErrnoException {
    if (!begun) {
      long before = Native.callLong(LSEEK, to.number(), 0, SEEK_END);
      Native.callLong(LSEEK, to.number(), 0, SEEK_SET);
      if (before >= 0) {
        Native.callLong(LSEEK, memory.number(), before + 1, SEEK_SET);
      }
      begun = true;
    }
    int count = write(to);
    start += Math.max(0, count);
    if (start == end) {
      close();
    }
    return count;
  }

  private int write(Fd to) throws ErrnoException {
    int length = end - start;
    long address = Native.MEMORY.allocateMemory(length, false);
    if (address == 0) {
      throw new ErrnoException("write", Errno.ENOMEM);
    }
    try {
      int read = (int) Native.callLong(PREAD, memory.number(), address, length, start);
      return to.writeFrom(address, ErrnoException.check("pread", read));
    } finally {
      Native.MEMORY.freeMemory(address);
    }
  }

  @Override
  public boolean empty() {
    return start == end;
  }

  @Override
  public void release() {
    assert empty();
  }

  @Override
  public void close() {
    try {
      memory.truncate(0); // first: without bytes the position means nothing
      Native.callLong(LSEEK, memory.number(), 0, SEEK_SET);
    } catch (ErrnoException e) {
      throw new IllegalStateException(e); // a file of our own in memory can be made shorter
    }
    begun = false;
    start = 0;
    end = 0;
  }
}
