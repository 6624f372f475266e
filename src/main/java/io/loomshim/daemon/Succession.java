package io.loomshim.daemon;

import io.loomshim.container.Remains;
import io.loomshim.inspect.Identity;
import io.loomshim.linux.Fd;
import io.loomshim.linux.FileLock;
import io.loomshim.log.Log;
import io.loomshim.metrics.Shortages;
import io.loomshim.process.ExitsMeanwhile;
import io.loomshim.record.Saved;
import io.loomshim.rundir.DaemonRecord;
import io.loomshim.shelf.Found;
import io.loomshim.shelf.Holder;
import io.loomshim.shelf.HolderBefore;
import io.loomshim.shelf.Shelf;
import io.loomshim.stdio.ConsoleSocket;
import io.loomshim.stdio.Outliving;
import io.loomshim.takeover.Estate;
import io.loomshim.takeover.HandOver;
import io.loomshim.takeover.Labels;
import io.loomshim.task.BegunStarts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What of a daemon outlives it, and what it has from the one before. Without the setting {@code take_over} it is
 * nothing. Made by the thread that starts the daemon.
 */
final class Succession implements HandOver.Present {
  private final Shelf shelf;
  private final RecordKeeping keeping;
  private final Optional<Saved> saved;
  private final Optional<Estate> estate;
  private final DaemonRecord record;
  private final FileLock alive;
  private final Optional<HandOver> handOver;
  private volatile Optional<HolderBefore> before = Optional.empty(); // until this daemon has a holder of its own
  private volatile Optional<Holder> holder = Optional.empty();

  private Succession(Shelf shelf, RecordKeeping keeping, Optional<Saved> saved, Optional<Estate> estate,
      DaemonRecord record, FileLock alive) {
    this.shelf = shelf;
    this.keeping = keeping;
    this.saved = saved;
    this.estate = estate;
    this.record = record;
    this.alive = alive;
    this.handOver = shelf == Shelf.NONE ? Optional.empty()
        : Optional.of(new HandOver(this, record.socket().getParent()));
  }

  /**
   * Begins, or takes over.
   *
   * @param own names this daemon, with the socket on which it listens if it does not take one over
   * @throws IOException when what another daemon has left cannot be used
   */
  static Succession of(Survival survival, Identity identity, DaemonRecord own) throws IOException {
    Path run = identity.run();
    if (survival.wanted()) {
      Outliving.begin();
      ConsoleSocket.below(run);
    }
    if (survival.takesOver()) {
      return takeOver(survival, identity, own);
    }
    FileLock alive = FileLock.shareDirectory(run);
    if (!survival.wanted()) {
      return new Succession(Shelf.NONE, RecordKeeping.NONE, Optional.empty(), Optional.empty(), own, alive);
    }
    RecordKeeping keeping = RecordKeeping.begin(identity, own);
    Shelf shelf = Shelf.make();
    Estate estate = Estate.begin(shelf, own.socket(), keeping);
    beginExits(shelf);
    return new Succession(shelf, keeping, Optional.empty(), Optional.of(estate), own, alive);
  }

  private static void beginExits(Shelf shelf) {
    List<Fd> exits = ExitsMeanwhile.begin();
    if (!exits.isEmpty()) {
      shelf.put(Labels.of(Labels.EXITS), exits);
    }
  }

  private static Succession takeOver(Survival survival, Identity identity, DaemonRecord own) throws IOException {
    RecordReading reading = RecordReading.begin(identity, own);
    Shelf shelf = Shelf.inherited(survival.inherited());
    FileLock alive = FileLock.inherited(survival.inherited() + Shelf.ENDS);
    List<Found> found = shelf.look();
    reading.await();
    Saved saved = reading.saved();
    RecordKeeping keeping = reading.keeping();
    Path socket = Estate.socket(found);
    var record = new DaemonRecord(own.pid(), own.startTime(), socket);
    ConsoleSocket.removeLeft(identity.run());
    Estate estate = Estate.of(shelf, found, reading.state(), keeping);
    if (estate.exits().isEmpty()) {
      beginExits(shelf); // that daemon had none, and its processes are not known to this one's
    } else {
      ExitsMeanwhile.resume(estate.exits());
    }
    var succession = new Succession(shelf, keeping, Optional.of(saved), Optional.of(estate), record, alive);
    if (survival.standsBy()) {
      succession.before = Optional.of(HolderBefore.in(identity.run(), survival.standBy()));
    } else {
      succession.holder = Holder.parent(shelf, alive.fd(), identity.run());
    }
    String pid = Long.toString(saved.daemon().getPid());
    String containers = Integer.toString(saved.containers().size());
    String connections = Integer.toString(estate.lines().size());
    if (survival.standsBy()) {
      Log.info("a daemon has handed over to this one", "pid", pid, "build", saved.daemon().getBuild(), "containers",
          containers, "connections", connections);
    } else {
      Log.warn("a daemon was killed, and this one takes over from it", "pid", pid, "containers", containers,
          "connections", connections);
    }
    return succession;
  }

  /** The service by which it can be asked to end in favour of another daemon, where that could take over. */
  Optional<HandOver> handOver() {
    return handOver;
  }

  @Override
  public Shelf shelf() {
    return shelf;
  }

  @Override
  public Fd alive() {
    return alive.fd();
  }

  @Override
  public Optional<Holder> holder() {
    return holder;
  }

  @Override
  public boolean recorded() {
    return keeping.complete();
  }

  RecordKeeping keeping() {
    return keeping;
  }

  /** What the daemon before has recorded. */
  Optional<Saved> saved() {
    return saved;
  }

  /** How many daemons have been taken over in a row. */
  int takeovers() {
    return saved.isPresent() ? saved.get().daemon().getTakeovers() + 1 : 0;
  }

  /** The socket and connections; nothing where they end with the daemon. */
  Optional<Estate> estate() {
    return estate;
  }

  /** What the daemon before has left of its containers. */
  Remains remains() throws IOException, InterruptedException {
    return estate.isEmpty() ? new Remains(List.of(), Set.of())
        : new Remains(estate.get().processes(), BegunStarts.of(estate.get().lines()));
  }

  DaemonRecord record() {
    return record;
  }

  /** Starts the holder, if there is to be one and there is none. */
  void prepare(Path directory) {
    try {
      if (!shelf.broken() && holder.isEmpty()) {
        holder = Optional.of(Holder.start(shelf, alive.fd(), directory));
      }
    } catch (IOException e) {
      Shortages.begin("holder", "a daemon that is killed takes its containers with it", e);
      shelf.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    endBefore();
  }

  private void endBefore() {
    Optional<HolderBefore> known = before;
    before = Optional.empty();
    if (known.isPresent()) {
      known.get().end();
    }
  }

  /** The daemon is about to end in order: no one takes over. */
  void end() {
    handOver.ifPresent(HandOver::end);
    endBefore();
    holder.ifPresent(Holder::end);
    ExitsMeanwhile.end();
  }

  /** Gives the lock on the run directory up, which whoever is alive has. */
  void close() {
    holder.ifPresent(Holder::awaitEnd);
    alive.close();
  }
}
