package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.cgroup.GracePeriod;
import io.loomshim.runc.Runc;

/**
 * Has the grace period that a runtime's moves into cgroups wait for begin before the runtime does: twice, as soon as it
 * is known that one will be called, and when it is, should what lies between have taken longer than the period helps.
 *
 * <p>On cgroup v1 every runtime moves processes by writes. On v2 some clone a process into its cgroup, which does not
 * wait for a grace period but would wait for ours (cgroup_mutex): there it depends on the version, and is left alone
 * for a runtime that is not known. Stateless; never waits.
 */
final class EarlyMove {
  private static final boolean UNIFIED = Cgroup.unified();

  private EarlyMove() {}

  /** The container of {@code runc} will be created. */
  static void create(Runc runc) {
    if (!UNIFIED || runc.version().createMovesOnV2()) {
      GracePeriod.begin();
    }
  }

  /** A process will be added to the container of {@code runc}. */
  static void exec(Runc runc) {
    if (!UNIFIED || runc.version().execMovesOnV2()) {
      GracePeriod.begin();
    }
  }
}
