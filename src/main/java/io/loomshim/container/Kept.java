package io.loomshim.container;

import io.loomshim.linux.Fd;
import io.loomshim.process.Child;
import io.loomshim.shelf.Shelf;
import io.loomshim.shelf.Slot;
import io.loomshim.stdio.Held;
import io.loomshim.stdio.Streams;
import io.loomshim.takeover.Labels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What of one process outlives the daemon: its pidfd and its streams, in one slot whose label has the subject and then
 * a role for each descriptor. Any thread may tell of a change; {@code lock} orders the looks at the streams.
 */
final class Kept {
  /** The role of the pidfd. */
  static final String PIDFD = "pidfd";

  /** Where the roles begin among the words of a label. */
  static final int FIRST_ROLE = 2;

  /** A change between the look and the keeping is looked at again; streams end, so there are not many. */
  private static final int TRIES_MAX = 100;

  private final String subject;
  private final ReentrantLock lock = new ReentrantLock();
  private Slot slot = Slot.NONE;
  private Optional<Child> child = Optional.empty();
  private Optional<Streams> streams = Optional.empty();

  Kept(String subject) {
    this.subject = subject;
  }

  /** Begins to keep what there is of a process that has just been made. */
  void begin(Shelf shelf, Optional<Child> child, Optional<Streams> streams) {
    if (!shelf.broken()) {
      int kept = put(shelf, child, streams);
      watch();
      if (kept > held().size()) {
        changed(); // something was closed meanwhile, perhaps before it could be kept
      }
    }
  }

  /** How many descriptors there were. */
  private int put(Shelf shelf, Optional<Child> child, Optional<Streams> streams) {
    lock.lock();
    try {
      this.child = child;
      this.streams = streams;
      List<Held> held = held();
      if (slot != Slot.NONE) {
        changed(); // of an earlier try
      } else {
        slot = shelf.put(label(held), fds(held));
      }
      return held.size();
    } finally {
      lock.unlock();
    }
  }

  /** Keeps nothing any more, whatever is still open. */
  void end() {
    lock.lock();
    try {
      Slot last = slot;
      slot = Slot.NONE;
      last.release();
    } finally {
      lock.unlock();
    }
  }

  /** Goes on with the slot of an earlier daemon, in which {@code words} is what there was. */
  void resume(Slot slot, List<String> words, Optional<Child> child, Optional<Streams> streams) {
    lock.lock();
    try {
      this.slot = slot;
      this.child = child;
      this.streams = streams;
    } finally {
      lock.unlock();
    }
    watch();
    if (!same(words)) {
      changed();
    }
  }

  /** Whether there is what {@code words} says, in whatever order. */
  private boolean same(List<String> words) {
    List<Held> held = held();
    var before = new ArrayList<String>(words.subList(FIRST_ROLE, words.size()));
    boolean same = held.size() == before.size();
    for (int i = 0; same && i < held.size(); i++) {
      same = before.remove(held.get(i).role());
    }
    return same && before.isEmpty();
  }

  private void watch() {
    if (streams.isPresent()) {
      streams.get().onChange(new Runnable() {
        @Override
        public void run() {
          changed();
        }
      });
    }
  }

  /** The process has ended, or its streams have changed: keeps what there is now. */
  void changed() {
    lock.lock();
    try {
      for (int i = 0; i < TRIES_MAX && slot != Slot.NONE; i++) {
        List<Held> held = held();
        if (held.isEmpty()) {
          slot.release();
          slot = Slot.NONE;
        } else if (slot.keep(label(held), fds(held))) {
          return;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private List<Held> held() {
    var held = new ArrayList<Held>();
    if (child.isPresent() && !child.get().pidfd().closed()) {
      held.add(new Held(PIDFD, child.get().pidfd()));
    }
    if (streams.isPresent()) {
      for (Held one : streams.get().held()) {
        if (!one.fd().closed()) {
          held.add(one);
        }
      }
    }
    return held;
  }

  private byte[] label(List<Held> held) {
    var words = new ArrayList<String>(List.of(Labels.PROCESS, subject));
    for (Held one : held) {
      words.add(one.role());
    }
    return Labels.of(words);
  }

  private static List<Fd> fds(List<Held> held) {
    var fds = new ArrayList<Fd>();
    for (Held one : held) {
      fds.add(one.fd());
    }
    return fds;
  }
}
