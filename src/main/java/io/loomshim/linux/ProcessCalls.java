package io.loomshim.linux;

/**
 * Processes and signals, as the kernel has them: pidfds, waits, and what a process sets for itself. A method returns
 * what the function returns, or a negative error number, where some of those are no failure; the others throw. None
 * blocks but {@link #pause}, {@link #sleep} and {@link #await}. Stateless.
 */
public final class ProcessCalls {
  public static final int SIGKILL = 9; // signal(7)
  public static final int SIGCHLD = 17;

  // asm-generic/unistd.h; x86_64 has the same numbers for calls as new as these
  private static final int SYS_PIDFD_SEND_SIGNAL = 424;
  private static final int SYS_PIDFD_OPEN = 434;

  // wait(2)
  private static final int WNOHANG = 1;
  private static final int WEXITED = 4;
  private static final int WNOWAIT = 0x01000000;
  private static final int P_ALL = 0;
  private static final int P_PID = 1;
  // siginfo_t of 64-bit Linux
  private static final int SIGINFO_BYTES = 128;
  private static final int SIGINFO_PID_OFFSET = 16;

  // prctl(2)
  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int PR_SCHED_CORE = 62;
  private static final int PR_SCHED_CORE_CREATE = 1;
  private static final int PR_SCHED_CORE_SCOPE_PROCESS_GROUP = 2;

  private static final int RLIMIT_NOFILE = 7; // getrlimit(2)
  private static final int RLIMIT_BYTES = 16; // rlim_t soft, rlim_t hard

  private static final int SIG_BLOCK = 0; // pthread_sigmask(3)
  private static final int SIG_DFL = 0; // signal(2)
  private static final int SIGSET_BYTES = 128;
  private static final int SFD_NONBLOCK = 04000; // signalfd(2)
  private static final int SFD_CLOEXEC = 02000000;

  private static final long SYSCALL = Native.function("syscall");
  private static final long KILL = Native.function("kill");
  private static final long WAIT4 = Native.function("wait4");
  private static final long WAITID = Native.function("waitid");
  private static final long GETPGID = Native.function("getpgid");
  private static final long PRCTL = Native.function("prctl");
  private static final long SIGNAL = Native.function("signal");
  private static final long SETSID = Native.function("setsid");
  private static final long GETRLIMIT = Native.function("getrlimit");
  private static final long SETRLIMIT = Native.function("setrlimit");
  private static final long SIGNALFD = Native.function("signalfd");
  private static final long SIGMASK = Native.function("pthread_sigmask");
  private static final long PAUSE = Native.function("pause");
  private static final long USLEEP = Native.function("usleep");
  private static final long MALLOC_TRIM = Native.function("malloc_trim");

  private ProcessCalls() {}

  /**
   * To be called once, at the start.
   *
   * @throws UnsupportedOperationException if this glibc is too old, with a text for the user
   */
  public static void requirePlatform() {
    Native.function("posix_spawn_file_actions_addclosefrom_np"); // of all functions used the last that glibc got
  }

  /**
   * A descriptor that stands for the process {@code pid} (pidfd_open(2)) and can be read once that has ended.
   *
   * @throws ErrnoException {@code pidfd_open PID: …}; ESRCH when there is no such process
   */
  public static Fd openPidfd(int pid) throws ErrnoException {
    int result = Native.callInt(SYSCALL, SYS_PIDFD_OPEN, pid, 0);
    if (result < 0) {
      throw new ErrnoException("pidfd_open " + pid, -result);
    }
    return new Fd(result);
  }

  /** Sends {@code signal} to the process of {@code pidfd} (pidfd_send_signal(2)): 0, or ESRCH, EINVAL, EPERM. */
  public static int signal(Fd pidfd, int signal) {
    return Native.callInt(SYSCALL, SYS_PIDFD_SEND_SIGNAL, pidfd.number(), signal, 0, 0);
  }

  /** Sends {@code signal} to {@code pid}, or to the process group of that number if it is negative (kill(2)). */
  public static int kill(int pid, int signal) {
    return Native.callInt(KILL, pid, signal);
  }

  /**
   * Reaps the child {@code pid} if it is a zombie (wait4(2)), without waiting.
   *
   * @param status its first element becomes the word that wait(2) describes
   * @return {@code pid}, 0 while it runs, or a negative error number: ECHILD when it is no child of ours
   */
  public static int reap(int pid, int[] status) {
    try (var arena = new Arena(Integer.BYTES)) {
      long word = arena.bytes(Integer.BYTES);
      int result = Native.callInt(WAIT4, pid, word, WNOHANG, 0);
      status[0] = Native.MEMORY.getInt(word);
      return result;
    }
  }

  /** The same, whatever its status is. */
  public static int reap(int pid) {
    return Native.callInt(WAIT4, pid, 0, WNOHANG, 0);
  }

  /** Waits for the end of the child {@code pid}, in the kernel, and reaps it; EINTR when a signal came first. */
  public static int await(int pid) {
    return Native.callInt(WAIT4, pid, 0, 0, 0);
  }

  /**
   * Looks for a zombie among all our children (waitid(2)), which it leaves as it is.
   *
   * @return the pid of the first, 0 when there is none, or a negative error number: ECHILD without any child
   */
  public static int zombie() {
    return zombie(P_ALL, 0);
  }

  /** The same for the child {@code pid} alone. */
  public static int zombie(int pid) {
    return zombie(P_PID, pid);
  }

  private static int zombie(int which, int pid) {
    try (var arena = new Arena(SIGINFO_BYTES)) {
      long info = arena.bytes(SIGINFO_BYTES);
      int result = Native.callInt(WAITID, which, pid, info, WEXITED | WNOHANG | WNOWAIT);
      return result < 0 ? result : Native.MEMORY.getInt(info + SIGINFO_PID_OFFSET);
    }
  }

  /** The process group of {@code pid} (getpgid(2)), or ESRCH. */
  public static int group(int pid) {
    return Native.callInt(GETPGID, pid);
  }

  /** Makes the kernel give this process the orphans of its descendants (prctl(2), PR_SET_CHILD_SUBREAPER). */
  public static void becomeSubreaper() throws ErrnoException {
    ErrnoException.check("prctl", Native.callInt(PRCTL, PR_SET_CHILD_SUBREAPER, 1));
  }

  /**
   * Gives this process group a core scheduling cookie of its own (prctl(2), PR_SCHED_CORE).
   *
   * @return 0, or a negative error number: ENODEV where no core has two threads, EINVAL for a kernel without it
   */
  public static int createCoreSchedulingCookie() {
    return Native.callInt(PRCTL, PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_PROCESS_GROUP, 0);
  }

  /** Gives {@code signal} its default disposition (signal(2)); it cannot fail for a signal that there is. */
  public static void restoreDefault(int signal) {
    Native.callInt(SIGNAL, signal, SIG_DFL);
  }

  /** Starts a new session (setsid(2)); EPERM when this process leads its process group. */
  public static int newSession() {
    return Native.callInt(SETSID);
  }

  /** How many files this process may have open: the soft limit and the hard one (getrlimit(2)). */
  public static long[] openFilesLimit() throws ErrnoException {
    try (var arena = new Arena(RLIMIT_BYTES)) {
      long limit = arena.bytes(RLIMIT_BYTES);
      ErrnoException.check("getrlimit", Native.callInt(GETRLIMIT, RLIMIT_NOFILE, limit));
      return new long[] {Native.MEMORY.getLong(limit), Native.MEMORY.getLong(limit + Long.BYTES)};
    }
  }

  /** Sets both (setrlimit(2)). */
  public static void limitOpenFiles(long soft, long hard) throws ErrnoException {
    try (var arena = new Arena(RLIMIT_BYTES)) {
      long limit = arena.bytes(RLIMIT_BYTES);
      Native.MEMORY.putLong(limit, soft);
      Native.MEMORY.putLong(limit + Long.BYTES, hard);
      ErrnoException.check("setrlimit", Native.callInt(SETRLIMIT, RLIMIT_NOFILE, limit));
    }
  }

  /** Whether the calling thread has {@code signal} blocked (pthread_sigmask(3)). */
  public static boolean blocked(int signal) {
    try (var arena = new Arena(SIGSET_BYTES)) {
      long set = arena.bytes(SIGSET_BYTES);
      Native.callStatus(SIGMASK, SIG_BLOCK, 0, set);
      return (Native.MEMORY.getLong(set) & bit(signal)) != 0;
    }
  }

  /** A descriptor from which {@code signal}, which must be blocked in all threads, is read (signalfd(2)). */
  public static Fd openSignalfd(int signal) throws ErrnoException {
    try (var arena = new Arena(SIGSET_BYTES)) {
      long set = arena.bytes(SIGSET_BYTES);
      Native.MEMORY.putLong(set, bit(signal));
      return new Fd(ErrnoException.check("signalfd", Native.callInt(SIGNALFD, -1, set, SFD_CLOEXEC | SFD_NONBLOCK)));
    }
  }

  /** Gives back to the kernel what malloc(3) keeps of memory that was freed (malloc_trim(3)); some milliseconds. */
  public static void trimMemory() {
    Native.callInt(MALLOC_TRIM, 0);
  }

  private static long bit(int signal) {
    return 1L << (signal - 1);
  }

  /** Holds the OS thread until a signal comes that is handled on it (pause(2)). */
  public static void pause() {
    Native.callInt(PAUSE);
  }

  /** Holds the OS thread for a while, less than a second (usleep(3)). */
  public static void sleep(int micros) {
    Native.callInt(USLEEP, micros);
  }
}
