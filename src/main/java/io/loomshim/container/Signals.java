package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Child;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.runc.KillFailure;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import java.nio.file.Path;
import java.util.List;

/** How a signal reaches the processes of a container. */
record Signals(String id, Runc runc) {
  /** Runtimes of which a plain signal to the init does what their kill command does. */
  private static final List<String> DIRECT = List.of("runc", "crun");

  /** Whether the runtime is one of those that do with processes and cgroups what everybody knows. */
  boolean plain() {
    Path binary = Path.of(runc.global().binary()).getFileName();
    return binary != null && DIRECT.contains(binary.toString());
  }

  /**
   * Signals the init itself, which takes microseconds where a runtime takes milliseconds; false where that is not
   * the same, or the kernel refuses for a reason that the runtime puts into better words.
   *
   * @throws StatusException NOT_FOUND when it has ended
   */
  boolean direct(Child init, int signal) {
    if (!plain()) {
      return false;
    }
    try {
      init.kill(signal);
      return true;
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ESRCH) {
        throw new StatusException(Code.NOT_FOUND, "process already finished: not found", e);
      }
      return false;
    }
  }

  /** Has the runtime send the signal, to all processes or to the init. */
  void throughRunc(int signal, boolean all) throws InterruptedException {
    try {
      runc.run(new RuncCommand.Kill(id, signal, all));
    } catch (RuncException e) {
      throw KillFailure.of(e);
    }
  }
}
