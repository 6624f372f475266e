package io.loomshim.linux;

/** Signals to processes that are not our children. Stateless. */
public final class Signal {
  private static final long KILL = Native.function("kill");

  private Signal() {}

  /**
   * Sends SIGKILL to {@code pid}; one that has ended is no error. Only for a process that cannot be another one by
   * now: it was found in a cgroup that stands still (kill(2)).
   *
   * @throws ErrnoException EPERM
   */
  public static void kill(int pid) throws ErrnoException {
    int result = Native.callInt(KILL, pid, Child.SIGKILL, 0, 0, 0, 0);
    if (result != -Errno.ESRCH) {
      ErrnoException.check("kill " + pid, result);
    }
  }
}
