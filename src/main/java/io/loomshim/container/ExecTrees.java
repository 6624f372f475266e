package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.cgroup.SubCgroup;
import io.loomshim.linux.Deadline;
import io.loomshim.log.Log;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * With the setting {@code kill_exec_tree}: gives each exec of a container a cgroup of its own below the container's, so
 * that what it has started can be found and killed when it ends, wherever it has gone (docs/DECISIONS.md). Where that
 * is not possible the exec runs without, and the log says so. May be used from any thread; there is no lock.
 */
final class ExecTrees {
  /** How long an exec's exit is held back for the end of what it has left: more than killed processes need. */
  static final Duration KILL_WAIT_MAX = Duration.ofSeconds(2);

  private static final String PREFIX = "loom-exec-";

  /** What the help of each runtime says, by its path: it is asked once. */
  private static final ConcurrentHashMap<String, String> HELP = new ConcurrentHashMap<>();

  private final boolean wanted;
  private final String id;
  private final Runc runc;
  private final OutOfMemory memory;

  ExecTrees(boolean wanted, String id, Runc runc, OutOfMemory memory) {
    this.wanted = wanted;
    this.id = id;
    this.runc = runc;
    this.memory = memory;
  }

  /** The cgroup for an exec that is about to start; nothing when none is wanted or possible. */
  Optional<SubCgroup> plant(String execId) throws InterruptedException {
    if (!wanted) {
      return Optional.empty();
    }
    String why = "the container has no cgroup of its own";
    try {
      Optional<Cgroup> cgroup = memory.cgroup();
      if (cgroup.isPresent()) {
        String help = help(); // the one thing that may be interrupted, so before there is a cgroup
        Optional<SubCgroup> tree = SubCgroup.make(cgroup.get(), PREFIX + execId);
        if (tree.isPresent() && understood(help, tree.get())) {
          return tree;
        }
        why = tree.isPresent() ? runc.global().binary() + " exec has no --cgroup for it" : "no freezer or cgroup.kill";
        if (tree.isPresent()) {
          tree.get().remove();
        }
      }
    } catch (IOException e) {
      why = String.valueOf(e.getMessage());
    }
    Log.warn("what this exec starts will outlive it", "id", id, "exec", execId, "reason", why);
    return Optional.empty();
  }

  private String help() throws RuncException, InterruptedException {
    String help = HELP.get(runc.global().binary());
    if (help == null) {
      help = runc.run(new RuncCommand.ExecHelp(id));
      HELP.put(runc.global().binary(), help);
    }
    return help;
  }

  /** Older runtimes do not know the option, and some know it without the name of a hierarchy. */
  private static boolean understood(String help, SubCgroup tree) {
    return help.contains("--cgroup") && (!tree.namesHierarchy() || help.contains("<controller>:"));
  }

  /**
   * The exec has ended, or has not started: kills what it has left. Not for a thread that is interrupted. Never throws:
   * whatever goes wrong here, an exit must be told.
   */
  void fell(Optional<SubCgroup> tree, String execId) {
    if (tree.isEmpty()) {
      return;
    }
    try {
      if (!tree.get().kill(Deadline.in(KILL_WAIT_MAX)) || !tree.get().remove()) {
        Log.warn("an exec has ended, but not all that it has started", "id", id, "exec", execId);
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      Log.warn("what an exec has started was not killed", "id", id, "exec", execId, "error",
          e.toString());
    }
  }
}
