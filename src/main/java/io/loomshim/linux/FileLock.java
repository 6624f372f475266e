package io.loomshim.linux;

import java.nio.file.Path;

/**
 * An exclusive flock(2), the lock that flock(1) takes; the JDK's FileChannel takes a lock of another
 * kind (fcntl) that flock(1) does not see.
 */
public final class FileLock implements AutoCloseable {
  private static final int LOCK_SH = 1;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final long FLOCK = Native.function("flock");

  private final Fd file;

  private FileLock(Fd file) {
    this.file = file;
  }

  /**
   * Takes the lock on {@code path}, which is created when it is missing, waiting for its holder. Holds
   * the carrier meanwhile: only for locks that are held for moments.
   */
  public static FileLock take(Path path) throws ErrnoException {
    Fd file = Fd.open(path.toString(), Fd.O_RDWR | Fd.O_CREAT, 0600);
    int result;
    do {
      result = Native.callInt(FLOCK, file.number(), LOCK_EX, 0, 0, 0, 0);
    } while (result == -Errno.EINTR);
    return locked(file, path, result);
  }

  /** The same without waiting: EAGAIN when somebody else holds it. */
  public static FileLock tryTake(Path path) throws ErrnoException {
    Fd file = Fd.open(path.toString(), Fd.O_RDWR | Fd.O_CREAT, 0600);
    return locked(file, path, Native.callInt(FLOCK, file.number(), LOCK_EX | LOCK_NB, 0, 0, 0, 0));
  }

  /** A lock on a directory that others may share; EAGAIN when somebody has it alone. */
  public static FileLock shareDirectory(Path path) throws ErrnoException {
    return ofDirectory(path, LOCK_SH);
  }

  /** The lock on a directory that nobody shares; EAGAIN when somebody has it. */
  public static FileLock tryTakeDirectory(Path path) throws ErrnoException {
    return ofDirectory(path, LOCK_EX);
  }

  private static FileLock ofDirectory(Path path, int kind) throws ErrnoException {
    Fd file = Fd.open(path.toString(), Fd.O_RDONLY, 0);
    return locked(file, path, Native.callInt(FLOCK, file.number(), kind | LOCK_NB, 0, 0, 0, 0));
  }

  private static FileLock locked(Fd file, Path path, int result) throws ErrnoException {
    if (result < 0) {
      file.close();
      throw new ErrnoException("flock " + path, -result);
    }
    return new FileLock(file);
  }

  @Override
  public void close() {
    file.close();
  }
}
