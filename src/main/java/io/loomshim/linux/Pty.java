package io.loomshim.linux;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The master side of a pseudo terminal (pty(7)), with an owner. When its last descriptor is closed, the
 * processes on the other side get SIGHUP and then read the end of file.
 *
 * <p>All methods may be called from any thread; {@code lock} keeps a resize from meeting a descriptor that is being
 * closed. None blocks.
 */
public final class Pty implements AutoCloseable {
  // ioctl_tty(2)
  private static final int TCGETS = 0x5401;
  private static final int TIOCSWINSZ = 0x5414;
  /** More than any struct termios of the kernel. */
  private static final int TERMIOS_BYTES = 64;
  private static final int WINSIZE_BYTES = 8;

  private static final long IOCTL = Native.function("ioctl");

  private final ReentrantLock lock = new ReentrantLock();
  private final Fd master;

  private Pty(Fd master) {
    this.master = master;
  }

  /**
   * Takes ownership of {@code master} and makes it non-blocking.
   *
   * @throws IOException {@code provided file is not a console}; the descriptor is closed then
   */
  public static Pty of(Fd master) throws IOException {
    try {
      if (!terminal(master)) {
        throw new IOException("provided file is not a console");
      }
      master.nonBlocking(true);
      return new Pty(master);
    } catch (IOException | RuntimeException | Error e) {
      master.close();
      throw e;
    }
  }

  /** Whether {@code fd} is a terminal, as isatty(3) finds out. */
  private static boolean terminal(Fd fd) {
    try (var arena = new Arena(TERMIOS_BYTES)) {
      return Native.callInt(IOCTL, fd.number(), TCGETS, arena.bytes(TERMIOS_BYTES)) == 0;
    }
  }

  /** The descriptor, for the one thread that reads from it; it stays this object's. */
  public Fd master() {
    return master;
  }

  /** A second descriptor, for the one thread that writes: the poller takes one waiter a descriptor. */
  public Fd duplicate() throws ErrnoException {
    return master.duplicate();
  }

  /**
   * Tells the processes the size of the window in characters (TIOCSWINSZ, ioctl_tty(2)); they get SIGWINCH when it
   * changes. Only the lower 16 bits of each number count. Does nothing once closed.
   */
  public void resize(int width, int height) throws ErrnoException {
    lock.lock();
    try (var arena = new Arena(WINSIZE_BYTES)) {
      if (master.closed()) {
        return;
      }
      long size = arena.bytes(WINSIZE_BYTES); // rows, columns, and two sizes in pixels that stay 0
      Native.MEMORY.putShort(size, (short) height);
      Native.MEMORY.putShort(size + 2, (short) width);
      ErrnoException.check("ioctl", Native.callInt(IOCTL, master.number(), TIOCSWINSZ, size));
    } finally {
      lock.unlock();
    }
  }

  /** Closes the descriptor; no thread may be reading from it. Does nothing the second time. */
  @Override
  public void close() {
    lock.lock();
    try {
      master.close();
    } finally {
      lock.unlock();
    }
  }
}
