package io.loomshim.runc;

import java.time.Duration;

/**
 * How long runc may take before it is killed. Generous: they are there so that a runtime that hangs (a dead network
 * file system, a frozen cgroup, a hook that never ends) gives an error instead of a container that is stuck for ever.
 *
 * @param create for create and restore: they run hooks and may wait for storage and for the cgroup manager
 * @param checkpoint for checkpoint: it writes the memory of all processes to disk
 * @param other for everything else, milliseconds on a healthy machine
 */
public record RuncLimits(Duration create, Duration checkpoint, Duration other) {
  /** Bytes of output that are kept, for an error text or ps of about 8000 pids; the rest is dropped. */
  public static final int OUTPUT_BYTES_KEPT = 64 << 10;
  /** Bytes that runc can print at all, then its writes fail: so that none that runs wild fills the memory. */
  public static final int OUTPUT_BYTES_MAX = 16 << 20;
  /** Bytes of new log entries that are read, the last ones: a runtime that logs debug lines may write more. */
  public static final int LOG_BYTES_MAX = 1 << 20;
  /** How long the end of a killed runc is waited for; one stuck in the kernel is then left to a thread of its own. */
  public static final Duration REAP_WAIT_MAX = Duration.ofSeconds(5);

  /** What create and restore get of the limit of other commands, as a multiple. */
  private static final int CREATE_FACTOR = 2;
  /** The same for checkpoint. */
  private static final int CHECKPOINT_FACTOR = 30;

  public static final RuncLimits DEFAULT = of(Duration.ofSeconds(60));

  /** The limits of which {@code other} is the shortest, the setting {@code runc_timeout_seconds}. */
  public static RuncLimits of(Duration other) {
    return new RuncLimits(times(CREATE_FACTOR, other), times(CHECKPOINT_FACTOR, other), other);
  }

  /** multipliedBy of Duration calculates with BigDecimal, which takes a new daemon some milliseconds to load. */
  private static Duration times(int factor, Duration limit) {
    return Duration.ofSeconds(factor * limit.toSeconds(), (long) factor * limit.toNanosPart());
  }

  /** The time that {@code command} may take. */
  public Duration of(RuncCommand command) {
    if (command instanceof RuncCommand.Create || command instanceof RuncCommand.Restore) {
      return create;
    }
    return command instanceof RuncCommand.Checkpoint ? checkpoint : other;
  }
}
