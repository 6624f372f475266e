package io.loomshim.process;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.log.Log;
import java.time.Duration;
import java.util.OptionalInt;

/**
 * The exit status of a process that has ended and is not our child. The kernel tells it by the pidfd once the parent
 * has reaped the process, from Linux 6.15 on; before that {@link ExitsMeanwhile} has it. On any kernel /proc tells it
 * of a zombie. Stateless.
 */
final class ForeignExit {
  /** How long a parent may take to reap it: init does so at once. */
  private static final Duration REAP_WAIT_MAX = Duration.ofSeconds(5);

  private static final Duration PAUSE_MIN = Duration.ofMillis(1);
  private static final Duration PAUSE_MAX = Duration.ofMillis(50);

  private ForeignExit() {}

  /** Waits for the status of a process whose pidfd can be read; {@link Child#STATUS_UNKNOWN} when none is told. */
  static int await(int pid, Fd pidfd) throws InterruptedException {
    long end = System.nanoTime() + REAP_WAIT_MAX.toNanos();
    Duration pause = PAUSE_MIN;
    OptionalInt zombie = OptionalInt.empty();
    try {
      while (true) {
        OptionalInt word = ExitsMeanwhile.of(pid, pidfd);
        if (word.isPresent()) {
          return Child.decode(word.getAsInt());
        }
        if (zombie.isEmpty()) {
          zombie = Processes.zombieStatus(pid);
        }
        if (zombie.isPresent()) {
          return Child.decode(zombie.getAsInt());
        }
        if (System.nanoTime() - end > 0) {
          return unknown(pid, "nothing told it");
        }
        Thread.sleep(pause);
        pause = pause.compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
      }
    } catch (ErrnoException e) {
      zombie = zombie.isPresent() ? zombie : Processes.zombieStatus(pid);
      return zombie.isPresent() ? Child.decode(zombie.getAsInt()) : unknown(pid, e.reason());
    }
  }

  private static int unknown(int pid, String why) {
    Log.warn("a process has ended while no daemon was its parent, and its status is not known", "pid",
        Integer.toString(pid), "status", Integer.toString(Child.STATUS_UNKNOWN), "reason", why);
    return Child.STATUS_UNKNOWN;
  }
}
