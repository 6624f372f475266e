package io.loomshim.container;

import com.google.protobuf.Any;
import io.loomshim.cgroup.Cgroup;
import io.loomshim.errors.Code;
import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.record.Journal;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/** The cgroup of one container, from the start of its init to the init's end. May be used from any thread. */
final class ContainerCgroup {
  private final String id;
  private final OutOfMemory memory;
  private final Journal journal;
  private final ReentrantLock finding = new ReentrantLock();
  private volatile Optional<Cgroup> cgroup = Optional.empty();
  private volatile int unfound; // the init, if there was no descriptor to find its cgroup with

  /** Once the cgroup has been found, {@code memory} watches it and {@code journal} has it. */
  ContainerCgroup(String id, OutOfMemory memory, Journal journal) {
    this.id = id;
    this.memory = memory;
    this.journal = journal;
  }

  /**
   * Finds the cgroup of {@code pid}, the init; to be called after the event that makes the container known and before
   * its end is waited for, which it must not prevent.
   */
  void find(int pid) {
    try {
      cgroup = Cgroup.of(pid);
      unfound = 0;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      Log.warn("no cgroup found", "id", id, "error", String.valueOf(e.getMessage()));
      unfound = Scarcity.of(e) ? pid : 0;
    }
    if (cgroup.isPresent()) {
      if (journal.keeps()) {
        journal.write(Notes.found(id, cgroup.get()));
      }
      memory.watch(cgroup.get());
    }
  }

  /**
   * Goes on with the cgroup that an earlier daemon has found; {@code told} are the kills that it has published. It is
   * watched from {@link #goOn} on, or from the first end of a process.
   */
  void resume(Optional<Cgroup> known, Map<Long, Long> told) {
    cgroup = known;
    if (known.isPresent()) {
      memory.watchLater(known.get(), told);
    }
  }

  /** Watches again what an earlier daemon has watched. */
  void goOn() {
    memory.begin();
  }

  /** The container's own cgroup; a restored one has it only once it has started. */
  Optional<Cgroup> get() {
    if (unfound != 0 && finding.tryLock()) {
      try {
        find(unfound);
      } finally {
        finding.unlock();
      }
    }
    return cgroup;
  }

  /**
   * The statistics.
   *
   * @throws StatusException NOT_FOUND when there is no cgroup
   */
  Any stats() throws IOException {
    try {
      return get().orElseThrow(() -> new NoSuchFileException("cgroup")).stats();
    } catch (NoSuchFileException e) {
      throw new StatusException(Code.NOT_FOUND, "cgroup does not exist: not found", e);
    }
  }

  /** Whether the processes are frozen, as the kernel says; empty when it does not tell. */
  Optional<Boolean> frozen() {
    Optional<Cgroup> known = get();
    try {
      return known.isEmpty() ? Optional.empty() : known.get().frozen();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Publishes what has run out of memory until now; to be called before an exit is published. */
  void checkMemory() {
    memory.check();
  }

  /** The init has ended: publishes the last, and looks no more, as its pid may soon be another's. */
  void end() {
    unfound = 0;
    memory.end();
  }
}
