package io.loomshim.linux;

import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A file descriptor with an owner: closing is idempotent, and using a closed one fails instead
 * of hitting another file that has got the same number.
 *
 * <p>Any thread may close; an owner that shares an Fd sees to it that no thread is in a call on it then.
 */
public final class Fd implements AutoCloseable {
  // open(2)
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0100;
  public static final int O_APPEND = 02000;
  public static final int O_NONBLOCK = 04000;
  private static final int O_CLOEXEC = 02000000;

  // fcntl(2)
  private static final int F_DUPFD_CLOEXEC = 1030;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;

  // splice(2)
  private static final int SPLICE_F_MOVE = 1;
  private static final int SPLICE_F_NONBLOCK = 2;

  private static final int FIONREAD = 0x541B; // ioctl(2), as pipe(7) and tcp(7) know it

  // struct pollfd of poll(2): int fd, short events, short revents
  private static final int POLLFD_BYTES = 8;
  private static final int POLLFD_EVENTS = 4;
  private static final int POLLIN = 1; // little-endian: the lower half of a word
  private static final int POLLOUT = 4;

  private static final int CLOSED = -1;

  private static final long OPEN = Native.function("open64");
  private static final long CLOSE = Native.function("close");
  private static final long FCNTL = Native.function("fcntl64");
  private static final long READ = Native.function("read");
  private static final long PREAD = Native.function("pread64");
  private static final long WRITE = Native.function("write");
  private static final long FTRUNCATE = Native.function("ftruncate64");
  private static final long FCHOWN = Native.function("fchown");
  private static final long SPLICE = Native.function("splice");
  private static final long IOCTL = Native.function("ioctl");
  private static final long POLL = Native.function("poll");

  private final AtomicInteger number;
  private final String foreign; // the path of a file whose file system a client has chosen, or empty

  /** Takes ownership of the open descriptor {@code number}. */
  public Fd(int number) {
    this(number, "");
  }

  private Fd(int number, String foreign) {
    this.number = new AtomicInteger(number);
    this.foreign = foreign;
  }

  /**
   * Makes this the descriptor of a file in a file system that a client has chosen: the closing, and reads and
   * writes of virtual threads, which may wait for that, are {@link Aside} steps from now on. Not needed for a fifo,
   * wherever its name is. This object is closed, the one that is returned has its place.
   */
  public Fd foreign(String path) {
    return new Fd(number.getAndSet(CLOSED), path);
  }

  /**
   * open(2) with O_CLOEXEC. A fifo must be opened with O_NONBLOCK, as a plain open of it blocks the
   * carrier; a path that a client has chosen within an {@link Aside} step.
   *
   * @throws ErrnoException with the message {@code open PATH: …}
   */
  public static Fd open(String path, int flags, int mode) throws ErrnoException {
    int result;
    try (var arena = Arena.forStrings(path)) {
      long address = arena.string(path);
      do {
        result = Native.callInt(OPEN, address, flags | O_CLOEXEC, mode);
      } while (result == -Errno.EINTR);
    }
    return new Fd(ErrnoException.check("open " + path, result));
  }

  /** The descriptor's number. */
  public int number() {
    int current = number.get();
    if (current == CLOSED) {
      throw new IllegalStateException("file descriptor is closed");
    }
    return current;
  }

  /** A second descriptor for the same open file, not inherited by children. */
  public Fd duplicate() throws ErrnoException {
    return duplicateFrom(3);
  }

  /** The same, with a number of at least {@code lowest}. */
  public Fd duplicateFrom(int lowest) throws ErrnoException {
    int second = ErrnoException.check("dup", Native.callInt(FCNTL, number(), F_DUPFD_CLOEXEC, lowest));
    return new Fd(second, foreign);
  }

  /** Sets or clears O_NONBLOCK; the flag belongs to the open file, so it holds for every duplicate too. */
  public void nonBlocking(boolean on) throws ErrnoException {
    int flags = ErrnoException.check("fcntl", Native.callInt(FCNTL, number(), F_GETFL));
    int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    ErrnoException.check("fcntl", Native.callInt(FCNTL, number(), F_SETFL, wanted));
  }

  /** Cuts a file off after {@code length} bytes (ftruncate(2)). */
  public void truncate(long length) throws ErrnoException {
    ErrnoException.check("ftruncate", Native.callInt(FTRUNCATE, number(), length));
  }

  /** Gives the open file to another owner (fchown(2)). */
  public void owner(int uid, int gid) throws ErrnoException {
    ErrnoException.check("chown", Native.callInt(FCHOWN, number(), uid, gid));
  }

  /** What stands at the beginning of a file, of ASCII, at most {@code length} bytes; may be read again and again. */
  public String textAtStart(int length) throws ErrnoException {
    long address = Native.MEMORY.allocateMemory(length, false);
    try {
      byte[] bytes = new byte[ErrnoException.check("read", Native.callInt(PREAD, number(), address, length, 0))];
      Native.MEMORY.getByteArray(address, bytes, 0, bytes.length);
      return new String(bytes, StandardCharsets.ISO_8859_1);
    } finally {
      Native.MEMORY.freeMemory(address);
    }
  }

  /**
   * Reads what there is, at most {@code buffer.length} bytes; waits in the poller while there is
   * nothing. The descriptor must be non-blocking.
   *
   * @return the number of bytes, 0 at the end
   * @throws ErrnoException as read(2)
   */
  public int read(byte[] buffer) throws IOException, InterruptedException {
    while (true) {
      int result = tryRead(buffer);
      if (result >= 0) {
        return result;
      }
      Poller.shared().awaitReadable(this);
    }
  }

  /** Reads what there is without waiting: the number of bytes, 0 at the end, −1 when there is nothing now. */
  public int tryRead(byte[] buffer) throws ErrnoException {
    long address = Native.MEMORY.allocateMemory(buffer.length, false);
    try {
      int count = readTo(address, buffer.length);
      Native.MEMORY.getByteArray(address, buffer, 0, Math.max(0, count));
      return count;
    } finally {
      Native.MEMORY.freeMemory(address);
    }
  }

  /** The same into native memory. */
  int readTo(long address, int length) throws ErrnoException {
    long result;
    do {
      result = transfer(READ, "read ", address, length);
    } while (result == -Errno.EINTR);
    return result == -Errno.EAGAIN ? -1 : ErrnoException.check("read", (int) result);
  }

  /**
   * Writes without waiting.
   *
   * @return how many bytes were taken, or −1 when there is no room now (EAGAIN)
   */
  public int tryWrite(byte[] data, int offset, int length) throws ErrnoException {
    long address = Native.MEMORY.allocateMemory(Math.max(1, length), false);
    if (address == 0) {
      throw new OutOfMemoryError("no native memory for " + length + " bytes");
    }
    try {
      Native.MEMORY.putByteArray(address, data, offset, length);
      return writeFrom(address, length);
    } finally {
      Native.MEMORY.freeMemory(address);
    }
  }

  /** The same out of native memory. */
  int writeFrom(long address, int length) throws ErrnoException {
    long result;
    do {
      result = transfer(WRITE, "write ", address, length);
    } while (result == -Errno.EINTR);
    return result == -Errno.EAGAIN ? -1 : ErrnoException.check("write", (int) result);
  }

  /**
   * Moves at most {@code most} bytes to {@code to} inside the kernel (splice(2)), without waiting for bytes or room;
   * one of the two is a pipe. It may wait for another process that is in the middle of a write to the same pipe.
   *
   * @return how many bytes, 0 at the end, or a negative error number: EAGAIN when either end was not ready, EINTR
   */
  public long splice(Fd to, long most) {
    return Native.callLong(SPLICE, number(), 0, to.number(), 0, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  }

  /** How many bytes can be read now (FIONREAD). */
  public int held() throws ErrnoException {
    try (var arena = new Arena(Integer.BYTES)) {
      long address = arena.bytes(Integer.BYTES);
      ErrnoException.check("ioctl", Native.callInt(IOCTL, number(), FIONREAD, address));
      return Native.MEMORY.getInt(address);
    }
  }

  /** Whether a read would not wait now (poll(2)); that of a pidfd tells that the process has ended. */
  public boolean ready() {
    return poll(POLLIN, 0) > 0;
  }

  /** Whether there is room for a write now, or an error that it would tell of. */
  public boolean roomy() {
    return poll(POLLOUT, 0) > 0;
  }

  /** The number of descriptors that are ready, 1 or 0, or a negative error number. */
  int poll(int events, int millisMax) {
    int now = number();
    long entry = Native.MEMORY.allocateMemory(POLLFD_BYTES, false);
    if (entry == 0) {
      throw new OutOfMemoryError("no native memory for " + POLLFD_BYTES + " bytes");
    }
    try {
      Native.MEMORY.putInt(entry, now);
      Native.MEMORY.putInt(entry + POLLFD_EVENTS, events); // and no revents
      return Native.callInt(POLL, entry, 1, millisMax);
    } finally {
      Native.MEMORY.freeMemory(entry);
    }
  }

  private long transfer(long function, String verb, long address, int length) {
    int now = number();
    if (foreign.isEmpty() || Aside.allowed()) {
      return Native.callLong(function, now, address, length);
    }
    try {
      return Aside.runToEnd(verb + foreign, () -> Native.callLong(function, now, address, length));
    } catch (IOException e) {
      throw new IllegalStateException(e); // the step throws nothing
    }
  }

  /**
   * Whether there is something to read, or an end, within {@code millisMax}. It waits on this thread of the operating
   * system, so it is for steps of {@link Aside} only.
   */
  public boolean awaitReadableHere(int millisMax) throws ErrnoException {
    int result = poll(POLLIN, millisMax);
    return result != -Errno.EINTR && ErrnoException.check("poll", result) > 0;
  }

  /** Whether this has been closed. */
  public boolean closed() {
    return number.get() == CLOSED;
  }

  /** Closes the descriptor; does nothing the second time. */
  @Override
  public void close() {
    int current = number.getAndSet(CLOSED);
    if (current == CLOSED) {
      return;
    }
    if (foreign.isEmpty()) {
      Native.callInt(CLOSE, current);
    } else {
      Aside.finish("close " + foreign, () -> Native.callInt(CLOSE, current)); // a file is flushed
    }
  }

  @Override
  public String toString() {
    return "fd " + number.get() + (foreign.isEmpty() ? "" : " of " + foreign);
  }
}
