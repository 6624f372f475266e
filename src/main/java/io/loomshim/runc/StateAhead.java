package io.loomshim.runc;

import io.loomshim.log.Log;
import io.loomshim.threads.Aside;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The {@link RuncState} of one container, read before it is needed: when runc has made the container, while the client
 * hears of that, and when its init has ended. What was read counts while the file is the same one; runc puts another in
 * its place when it writes. It is kept until it has been used, as it takes 2 KB.
 *
 * <p>May be used from any thread. Who needs the state waits for a reading that is under way.
 */
final class StateAhead {
  /** What was read, and of which file. */
  private record Kept(FileStamp stamp, Optional<RuncState> state) {}

  private final String id;
  private final Path directory;
  private final Path file;
  private final ReentrantLock lock = new ReentrantLock(); // held while the file is read
  private volatile boolean wanted;
  private Optional<Kept> kept = Optional.empty(); // of lock

  /** Of the container {@code id}, whose directory is {@code directory}. */
  StateAhead(String id, Path directory) {
    this.id = id;
    this.directory = directory;
    this.file = directory.resolve(RuncState.FILE);
  }

  /** Has it read by a thread of its own, and waits for nothing. What fails is tried again by who needs the state. */
  void begin() {
    wanted = true;
    try {
      Threads.start("runc/state/" + id, new Reading());
    } catch (OutOfMemoryError e) {
      // a full heap is no reason to fail: the state is read when it is needed
    }
  }

  /** The state; empty as {@link RuncState#read} has it. For steps of {@link Aside}. */
  Optional<RuncState> take() throws IOException {
    lock.lock();
    try {
      Optional<Kept> known = kept;
      kept = Optional.empty();
      wanted = false;
      boolean same = known.isPresent() && known.get().stamp.holds(file.toString());
      return same ? known.get().state : RuncState.read(directory);
    } finally {
      lock.unlock();
    }
  }

  /** Whether a state waits to be taken. */
  boolean ready() {
    lock.lock();
    try {
      return kept.isPresent();
    } finally {
      lock.unlock();
    }
  }

  private final class Reading implements Runnable {
    @Override
    public void run() {
      try {
        Aside.run("read " + file, new Step());
      } catch (IOException | InterruptedException | OutOfMemoryError e) {
        Log.debug("state.json is read when it is needed", "id", id, "error", String.valueOf(e.getMessage()));
      }
    }
  }

  private final class Step implements Aside.Step<Boolean> {
    /** Whether it was still wanted. */
    @Override
    public Boolean run() throws IOException {
      lock.lock();
      try {
        boolean read = wanted;
        if (read) {
          FileStamp stamp = FileStamp.of(file.toString());
          kept = Optional.of(new Kept(stamp, RuncState.read(directory)));
          wanted = false;
        }
        return read;
      } finally {
        lock.unlock();
      }
    }
  }
}
