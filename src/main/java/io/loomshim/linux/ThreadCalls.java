package io.loomshim.linux;

/**
 * What a thread of the operating system may have of its own: a number, and a table of descriptors. Only for platform
 * threads. None of the methods blocks. Stateless.
 */
public final class ThreadCalls {
  /** In a table of its own, lower numbers are taken: what is fetched gets this one or a higher one. */
  public static final int LOWEST_FETCHED = 16;

  // asm-generic/unistd.h; x86_64 has the same numbers for calls as new as these
  private static final int SYS_PIDFD_OPEN = 434;
  private static final int SYS_CLOSE_RANGE = 436;
  private static final int SYS_PIDFD_GETFD = 438;

  private static final int CLOSE_RANGE_UNSHARE = 2; // close_range(2)
  private static final int FIRST = 3; // after the standard streams
  private static final long LAST = 0xffff_ffffL;
  private static final int F_DUPFD_CLOEXEC = 1030; // fcntl(2)
  private static final int SELF = (int) ProcessHandle.current().pid();

  private static final long GETTID = Native.function("gettid");
  private static final long SYSCALL = Native.function("syscall");
  private static final long FCNTL = Native.function("fcntl64");
  private static final long CLOSE = Native.function("close");

  private ThreadCalls() {}

  /** The calling thread's number, which is that of no other thread or process (gettid(2)). */
  public static int id() {
    return Native.callInt(GETTID, 0, 0, 0, 0, 0, 0);
  }

  /**
   * Gives the calling thread a table of descriptors of its own, with the standard streams and what keeps lower numbers
   * taken (close_range(2), CLOSE_RANGE_UNSHARE, Linux 5.9; pidfd_getfd(2), Linux 5.6).
   *
   * @return the descriptor, in that table, by which {@link #fetch} finds this process
   * @throws ErrnoException ENOSYS where the kernel is older, EPERM where a filter forbids it; the thread is of no use
   *     any more then
   */
  public static int leaveTable() throws ErrnoException {
    int closed = Native.callInt(SYSCALL, SYS_CLOSE_RANGE, FIRST, LAST, CLOSE_RANGE_UNSHARE, 0, 0);
    ErrnoException.check("close_range", closed);
    for (int number = FIRST; number < LOWEST_FETCHED; number++) {
      Native.callInt(FCNTL, 0, F_DUPFD_CLOEXEC, FIRST, 0, 0, 0);
    }
    int self = ErrnoException.check("pidfd_open", Native.callInt(SYSCALL, SYS_PIDFD_OPEN, SELF, 0, 0, 0, 0));
    close(fetch(self, 0));
    return self;
  }

  /**
   * Copies the descriptor {@code source} of this process into the table of the calling thread, not to be inherited.
   *
   * @param self what {@link #leaveTable} has returned
   * @throws ErrnoException EMFILE and the like
   */
  public static int fetch(int self, int source) throws ErrnoException {
    int result = Native.callInt(SYSCALL, SYS_PIDFD_GETFD, self, source, 0, 0, 0);
    return ErrnoException.check("pidfd_getfd", result);
  }

  /** Closes what {@link #fetch} has returned. */
  public static void close(int number) {
    Native.callInt(CLOSE, number, 0, 0, 0, 0, 0);
  }
}
