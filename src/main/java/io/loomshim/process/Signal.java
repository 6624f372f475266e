package io.loomshim.process;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.ProcessCalls;

/** Signals to processes that are not our children. Stateless. */
public final class Signal {
  private Signal() {}

  /**
   * Sends SIGKILL to {@code pid}; one that has ended is no error. Only for a process that cannot be another one by
   * now: it was found in a cgroup that stands still (kill(2)).
   *
   * @throws ErrnoException EPERM
   */
  public static void kill(int pid) throws ErrnoException {
    int result = ProcessCalls.kill(pid, ProcessCalls.SIGKILL);
    if (result != -Errno.ESRCH) {
      ErrnoException.check("kill " + pid, result);
    }
  }
}
