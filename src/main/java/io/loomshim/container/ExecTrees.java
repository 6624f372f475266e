package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.cgroup.SubCgroup;
import io.loomshim.linux.Deadline;
import io.loomshim.log.Log;
import io.loomshim.runc.ExecHelp;
import io.loomshim.runc.Runc;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * With the setting {@code kill_exec_tree}: gives each exec of a container a cgroup of its own below the container's, so
 * that what it has started can be found and killed when it ends, wherever it has gone (docs/DECISIONS.md). Where that
 * is not possible the exec runs without, and the log says so. May be used from any thread; there is no lock.
 */
final class ExecTrees {
  /** How long an exec's exit is held back for the end of what it has left: more than killed processes need. */
  static final Duration KILL_WAIT_MAX = Duration.ofSeconds(2);

  private static final String PREFIX = "loom-exec-";

  private final boolean wanted;
  private final Runc runc;
  private final ExecHelp help;
  private final ContainerCgroup cgroup;

  ExecTrees(boolean wanted, Runc runc, ExecHelp help, ContainerCgroup cgroup) {
    this.wanted = wanted;
    this.runc = runc;
    this.help = help;
    this.cgroup = cgroup;
  }

  /** Makes the cgroup for an exec that is about to start; nothing when none is wanted or possible. */
  Optional<SubCgroup> make(String execId) throws InterruptedException {
    if (!wanted) {
      return Optional.empty();
    }
    String why = "the container has no cgroup of its own";
    try {
      Optional<Cgroup> above = cgroup.get();
      if (above.isPresent()) {
        String text = help.of(runc); // the one thing that may be interrupted, so before there is a cgroup
        Optional<SubCgroup> tree = SubCgroup.make(above.get(), PREFIX + execId);
        if (tree.isPresent() && understood(text, tree.get())) {
          return tree;
        }
        why = tree.isPresent() ? runc.settings().binary() + " exec has no --cgroup for it"
            : "no freezer or cgroup.kill";
        if (tree.isPresent()) {
          tree.get().remove();
        }
      }
    } catch (IOException e) {
      why = String.valueOf(e.getMessage());
    }
    Log.warn("kill_exec_tree has no effect on this exec", "id", runc.id(), "exec", execId, "reason", why);
    return Optional.empty();
  }

  /** What an earlier daemon has made for an exec, which keeps it though others may get none now. */
  Optional<SubCgroup> find(String execId) {
    Optional<Cgroup> above = cgroup.get();
    return above.isPresent() ? SubCgroup.find(above.get(), PREFIX + execId) : Optional.empty();
  }

  /** Older runtimes do not know the option, and some know it without the name of a hierarchy. */
  private static boolean understood(String help, SubCgroup tree) {
    return help.contains("--cgroup") && (!tree.namesHierarchy() || help.contains("<controller>:"));
  }

  /**
   * The exec has ended, or has not started: kills what it has left, and removes the cgroup. Not for a thread that is
   * interrupted. Never throws: an exit must be told in any case.
   */
  void end(Optional<SubCgroup> tree, String execId) {
    if (tree.isEmpty()) {
      return;
    }
    try {
      if (!tree.get().kill(Deadline.in(KILL_WAIT_MAX)) || !tree.get().remove()) {
        Log.warn("some processes of an exec outlive it", "id", runc.id(), "exec", execId);
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      Log.warn("failed to kill the processes of an exec", "id", runc.id(), "exec", execId, "error",
          e.toString());
    }
  }
}
