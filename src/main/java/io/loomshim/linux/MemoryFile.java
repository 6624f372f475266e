package io.loomshim.linux;

import java.util.Arrays;

/**
 * A file in memory, without a name (memfd_create(2)), for what a child reads from its stdin or prints: unlike a pipe
 * it needs no thread that feeds or drains it, and no wait for processes that hold it open.
 *
 * <p>Its size is sealed (F_SEAL_GROW, fcntl(2)): a child that prints more gets EPERM, so it cannot fill the memory
 * through it. Only what has been written takes memory. Used by one thread on this side.
 */
public final class MemoryFile implements AutoCloseable {
  // memfd_create(2), fcntl(2), lseek(2)
  private static final int MFD_CLOEXEC = 1;
  private static final int MFD_ALLOW_SEALING = 2;
  private static final int F_ADD_SEALS = 1033;
  private static final int F_SEAL_SHRINK = 2;
  private static final int F_SEAL_GROW = 4;
  private static final int SEEK_SET = 0;
  private static final int SEEK_CUR = 1;

  private static final long MEMFD_CREATE = Native.function("memfd_create");
  private static final long FTRUNCATE = Native.function("ftruncate64");
  private static final long FCNTL = Native.function("fcntl64");
  private static final long LSEEK = Native.function("lseek64");
  private static final long PREAD = Native.function("pread64");

  private final Fd fd;

  private MemoryFile(Fd fd) {
    this.fd = fd;
  }

  /**
   * An empty file with room for {@code limit} bytes.
   *
   * @throws ErrnoException EMFILE or ENFILE when there are no descriptors left
   */
  public static MemoryFile empty(long limit) throws ErrnoException {
    Fd fd = create();
    try {
      ErrnoException.check("ftruncate", Native.callInt(FTRUNCATE, fd.number(), limit));
      int seals = F_SEAL_GROW | F_SEAL_SHRINK;
      ErrnoException.check("fcntl", Native.callInt(FCNTL, fd.number(), F_ADD_SEALS, seals));
      return new MemoryFile(fd);
    } catch (ErrnoException e) {
      fd.close();
      throw e;
    }
  }

  /** A file that holds {@code content} and is read from its beginning. */
  public static MemoryFile of(byte[] content) throws ErrnoException {
    Fd fd = create();
    try {
      for (int at = 0; at < content.length; ) {
        at += fd.tryWrite(content, at, content.length - at);
      }
      ErrnoException.check("lseek", (int) Native.callLong(LSEEK, fd.number(), 0, SEEK_SET));
      return new MemoryFile(fd);
    } catch (ErrnoException e) {
      fd.close();
      throw e;
    }
  }

  /** A file without a limit, for bytes that another process may go on with. */
  public static Fd unlimited() throws ErrnoException {
    return create();
  }

  private static Fd create() throws ErrnoException {
    try (var arena = Arena.forStrings("loomshim")) {
      int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
      int result = Native.callInt(MEMFD_CREATE, arena.string("loomshim"), flags);
      return new Fd(ErrnoException.check("memfd_create", result));
    }
  }

  /** The descriptor for the child; it stays this object's. */
  public Fd fd() {
    return fd;
  }

  /** The first bytes of what has been written through this descriptor and its copies, at most {@code limit}. */
  public byte[] written(int limit) throws ErrnoException {
    long end = Native.callLong(LSEEK, fd.number(), 0, SEEK_CUR);
    int length = (int) Math.min(limit, end);
    if (length <= 0) {
      return new byte[0];
    }
    try (var arena = new Arena(length)) {
      long address = arena.bytes(length);
      int count = ErrnoException.check("pread",
          (int) Native.callLong(PREAD, fd.number(), address, length, 0));
      byte[] bytes = new byte[length];
      Native.MEMORY.getByteArray(address, bytes, 0, count);
      return count == length ? bytes : Arrays.copyOf(bytes, count);
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
