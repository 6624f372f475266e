package io.loomshim.linux;

import java.nio.file.Path;

/**
 * An exclusive flock(2), the lock that flock(1) takes; the JDK's FileChannel takes a lock of another
 * kind (fcntl) that flock(1) does not see.
 */
public final class FileLock implements AutoCloseable {
  // flock(2)
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
      result = Native.callInt(FLOCK, file.number(), LOCK_EX);
    } while (result == -Errno.EINTR);
    return locked(file, path, result);
  }

  /** The same without waiting: EAGAIN when another process holds it. */
  public static FileLock tryTake(Path path) throws ErrnoException {
    Fd file = Fd.open(path.toString(), Fd.O_RDWR | Fd.O_CREAT, 0600);
    return locked(file, path, Native.callInt(FLOCK, file.number(), LOCK_EX | LOCK_NB));
  }

  /** A lock on a directory that others may share; EAGAIN when it is held alone. */
  public static FileLock shareDirectory(Path path) throws ErrnoException {
    return ofDirectory(path, LOCK_SH);
  }

  /** The lock on a directory alone; EAGAIN when it is held. */
  public static FileLock tryTakeDirectory(Path path) throws ErrnoException {
    return ofDirectory(path, LOCK_EX);
  }

  private static FileLock ofDirectory(Path path, int kind) throws ErrnoException {
    Fd file = Fd.open(path.toString(), Fd.O_RDONLY, 0);
    return locked(file, path, Native.callInt(FLOCK, file.number(), kind | LOCK_NB));
  }

  /** A lock that has been inherited as the descriptor {@code number}, and is not inherited any further. */
  public static FileLock inherited(int number) throws ErrnoException {
    try (var inherited = new Fd(number)) {
      return new FileLock(inherited.duplicate());
    }
  }

  private static FileLock locked(Fd file, Path path, int result) throws ErrnoException {
    if (result < 0) {
      file.close();
      throw new ErrnoException("flock " + path, -result);
    }
    return new FileLock(file);
  }

  /** The descriptor that has the lock; whoever has a duplicate holds the lock too. It stays this object's. */
  public Fd fd() {
    return file;
  }

  @Override
  public void close() {
    file.close();
  }
}
