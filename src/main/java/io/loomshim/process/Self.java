package io.loomshim.process;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.ProcessCalls;

/** What a daemon sets once for its own process. */
public final class Self {
  private Self() {}

  /**
   * Refuses a machine on which a later call would fail.
   *
   * @throws UnsupportedOperationException {@code glibc 2.34 or newer is needed: …}
   */
  public static void requirePlatform() {
    ProcessCalls.requirePlatform();
  }

  /**
   * Makes the kernel give us the orphans of our descendants, and keeps our dead children as zombies
   * until we reap them, whatever SIGCHLD was set to before (prctl(2), wait(2) on SIG_IGN).
   */
  public static void becomeSubreaper() throws ErrnoException {
    ProcessCalls.becomeSubreaper();
    ProcessCalls.restoreDefault(ProcessCalls.SIGCHLD);
  }

  /**
   * Gives this process group a core scheduling cookie of its own, which its children inherit: no other process
   * runs on the second thread of a core meanwhile (prctl(2), PR_SCHED_CORE; kernel: hw-vuln/core-scheduling.rst).
   *
   * @throws ErrnoException ENODEV where no core has two threads, EINVAL for a kernel without it
   */
  public static void coreScheduling() throws ErrnoException {
    ErrnoException.check("enable sched core support", ProcessCalls.createCoreSchedulingCookie());
  }

  /** Starts a new session; does nothing when this process leads its process group (setsid(2)). */
  public static void newSession() {
    ProcessCalls.newSession(); // EPERM is for a leader
  }

  /**
   * Lets this process open as many files as its hard limit says; what it starts keeps the limit that there was before
   * (see {@link Spawner}).
   */
  public static void raiseOpenFiles() throws ErrnoException {
    long[] limit = ProcessCalls.openFilesLimit();
    long soft = limit[0];
    long hard = limit[1];
    if (soft != hard) {
      ProcessCalls.limitOpenFiles(hard, hard);
      Spawner.limitOpenFiles(Long.toUnsignedString(soft));
    }
  }
}
