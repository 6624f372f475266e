package io.loomshim.linux;

/** What a daemon sets once for its own process. */
public final class Self {
  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int PR_SCHED_CORE = 62;
  private static final int PR_SCHED_CORE_CREATE = 1;
  private static final int PR_SCHED_CORE_SCOPE_PROCESS_GROUP = 2;
  private static final int SIGCHLD = 17;
  private static final int RLIMIT_NOFILE = 7;

  private Self() {}

  /**
   * Makes the kernel give us the orphans of our descendants, and keeps our dead children as zombies
   * until we reap them, whatever SIGCHLD was set to before (prctl(2), wait(2) on SIG_IGN).
   */
  public static void becomeSubreaper() throws ErrnoException {
    ErrnoException.check(
        "prctl", Native.callInt(Native.function("prctl"), PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0));
    Native.call(Native.function("signal"), SIGCHLD, 0, 0, 0, 0, 0);
  }

  /**
   * Gives this process group a core scheduling cookie of its own, which its children inherit: no other process
   * runs on the second thread of a core meanwhile (prctl(2), PR_SCHED_CORE; kernel: hw-vuln/core-scheduling.rst).
   *
   * @throws ErrnoException ENODEV where no core has two threads, EINVAL for a kernel without it
   */
  public static void coreScheduling() throws ErrnoException {
    int result =
        Native.callInt(
            Native.function("prctl"), PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_PROCESS_GROUP, 0, 0);
    ErrnoException.check("enable sched core support", result);
  }

  /** Starts a new session; does nothing when this process leads its process group (setsid(2)). */
  public static void newSession() {
    Native.callInt(Native.function("setsid"), 0, 0, 0, 0, 0, 0);
  }

  /**
   * Lets this process open as many files as its hard limit says; what it starts keeps the limit that there was before
   * (getrlimit(2), and {@link Spawner}).
   */
  public static void raiseOpenFiles() throws ErrnoException {
    try (var arena = new Arena(64)) {
      long limit = arena.bytes(16);
      ErrnoException.check(
          "getrlimit", Native.callInt(Native.function("getrlimit"), RLIMIT_NOFILE, limit, 0, 0, 0, 0));
      long soft = Native.MEMORY.getLong(limit);
      long hard = Native.MEMORY.getLong(limit + 8);
      if (soft != hard) {
        Native.MEMORY.putLong(limit, hard);
        ErrnoException.check(
            "setrlimit", Native.callInt(Native.function("setrlimit"), RLIMIT_NOFILE, limit, 0, 0, 0, 0));
        Spawner.limitOpenFiles(Long.toUnsignedString(soft));
      }
    }
  }
}
