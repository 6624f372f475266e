package io.loomshim.container;

import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.proto.record.ProcessEntry;
import io.loomshim.record.Change;
import io.loomshim.record.Saved;
import io.loomshim.runc.Runc;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes the containers of a daemon that was killed this daemon's: their states from its record, their descriptors from
 * its shelf. What it was creating is undone. Runs on the thread that takes over, before any client is answered.
 */
record Restoration(Common common, Remains remains) {
  /** The containers that there are now; {@link Container#awaitEnds} must follow for each. */
  List<Container> run(List<Saved.Container> saved) throws InterruptedException {
    var restored = new ArrayList<Container>();
    var outlines = new Outlines(saved, common);
    for (int i = 0; i < saved.size(); i++) {
      Saved.Container one = saved.get(i);
      try {
        Container container = outlines.get(i);
        if (one.init().isEmpty()) {
          undo(container);
        } else {
          container.resume(one, remains);
          restored.add(container);
        }
      } catch (IOException | StatusException e) {
        Log.error("a container was not taken over", "id", one.id(), "error", String.valueOf(e.getMessage()));
        common.journal().write(Change.forget(one.id()));
      }
    }
    remains.discardRest();
    return restored;
  }

  /** Goes on with the init of {@code container}, whose execs are there already. */
  static void init(Container container, Saved.Container saved, Remains remains)
      throws IOException, InterruptedException {
    InitProcess init = container.init;
    ProcessEntry entry = saved.init().orElseThrow();
    container.life.resume(Notes.state(entry, saved.paused()));
    boolean ends = init.resume(entry, saved.reaped(), saved.stdinClosed(), remains);
    boolean made = init.child.isPresent();
    if (ends && made && container.cgroup.get().isEmpty() && !init.child.get().ended()) {
      container.cgroup.find(init.pid());
    }
    container.frozen.watch(container.cgroup.get());
    if (!ends) {
      container.gate.close();
    } else if (!made && container.runc.exists()) {
      undoRestoring(container);
    } else if (made) {
      settle(container, init, remains.starting(container.id()));
      init.awaitLater();
    }
  }

  /** Whether the start of a created init had been done, and not recorded. */
  private static void settle(Container container, InitProcess init, boolean starting) throws InterruptedException {
    container.life.order().lock();
    try {
      if (container.life.state() == InitState.CREATED && startedMeanwhile(container.runc, init.pid())) {
        init.runs();
      } else {
        container.life.perhapsLetGo(starting); // one that has ended does not tell
      }
    } finally {
      container.life.order().unlock();
    }
  }

  /** Whether runc, or an earlier daemon in its place, had let it go. */
  private static boolean startedMeanwhile(Runc runc, int pid) throws InterruptedException {
    return runc.startedMeanwhile() || runc.released(pid);
  }

  /** A restoration that was under way: the Start that wanted it begins anew. */
  private static void undoRestoring(Container container) {
    Log.warn("a restoration that was under way when the daemon was killed is undone", "id", container.id());
    container.common.undos().run(container.id(), container.runc.directory(), new IOException("the daemon was killed"),
        container.runc::deleteByForce);
  }

  /** Its Create is answered UNAVAILABLE, and waits for this; no other call does. */
  private void undo(Container container) {
    String id = container.id();
    Log.warn("a creation that was under way when the daemon was killed is undone", "id", id);
    common.undos().begin(id, container.runc.directory(), () -> {
      container.runc.deleteByForce();
      container.rootFs.unmount();
      Aside.run("remove draft in " + container.bundle.directory(), () -> {
        container.bundle.initPidFile().removeDraft();
        return container.bundle;
      });
      common.journal().write(Change.forget(id));
    });
  }
}
