package io.loomshim.container;

import io.loomshim.container.InitState.Operation;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.process.Child;
import io.loomshim.runc.KillFailure;
import io.loomshim.runc.RuncException;
import java.util.Optional;

/** How a signal reaches the init of a container, or all of its processes. May be used from any thread. */
record Signals(Container container) {
  /**
   * Sends {@code signal}.
   *
   * @param all to every process of the container
   * @throws StatusException NOT_FOUND when the init has ended
   */
  void kill(int signal, boolean all) throws InterruptedException {
    if (!killAtOnce(signal, all)) {
      throughRunc(signal, all);
      thaw(signal);
    }
  }

  /** The same without waiting; false when nothing was sent, as the runtime must do it. */
  boolean killAtOnce(int signal, boolean all) {
    InitState now = container.life.state();
    now.check(Operation.KILL);
    if (!all && now == InitState.STOPPED) {
      throw new StatusException(Code.NOT_FOUND, "process already finished: not found");
    }
    // a frozen process would not notice
    boolean alive = now.seen(container.frozen.now()) == now && now != InitState.PAUSED;
    Optional<Child> init = container.init.child;
    boolean direct = !all && alive && !container.freezing.perhapsFrozen() && init.isPresent();
    if (!direct || !direct(init.get(), signal)) {
      return false;
    }
    thaw(signal);
    return true;
  }

  private void thaw(int signal) {
    if (signal == Child.SIGKILL) {
      container.frozen.thawToDie(); // not every runtime does, and it may have been frozen from outside just now
    }
  }

  /**
   * Signals the init itself, which takes microseconds where a runtime takes milliseconds; false where that is not
   * the same, or the kernel refuses for a reason that the runtime puts into better words.
   */
  private boolean direct(Child init, int signal) {
    if (!container.runc.settings().likeRunc()) {
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

  private void throughRunc(int signal, boolean all) throws InterruptedException {
    container.frozen.passing(); // a signal to all may freeze it for a moment
    try {
      container.runc.kill(signal, all);
    } catch (RuncException e) {
      throw KillFailure.of(e);
    } finally {
      container.frozen.passed();
    }
  }
}
