package io.loomshim.daemon;

import io.loomshim.container.Container;
import io.loomshim.container.Containers;
import io.loomshim.event.Outbox;
import io.loomshim.inspect.Identity;
import io.loomshim.inspect.Inspection;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.log.Log;
import io.loomshim.process.Orphans;
import io.loomshim.process.Self;
import io.loomshim.proto.record.DaemonEntry;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.record.Saved;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncLimits;
import io.loomshim.rundir.DaemonRecord;
import io.loomshim.rundir.DeadDirectories;
import io.loomshim.rundir.RunDirectory;
import io.loomshim.rundir.RunLinks;
import io.loomshim.stdio.Flow;
import io.loomshim.takeover.HandOver;
import io.loomshim.task.DaemonHooks;
import io.loomshim.task.ErrorCodes;
import io.loomshim.task.TaskHandlers;
import io.loomshim.task.TaskService;
import io.loomshim.task.Unanswered;
import io.loomshim.threads.Aside;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Door;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import io.loomshim.ttrpc.SocketDoor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One daemon. It serves every container of a namespace from the moment it listens until {@link Linger} decides that it
 * ends.
 *
 * <p>{@link #start} does only what a first client needs; {@link #run} then prepares the rest.
 */
public final class Daemon implements DaemonHooks {
  /** How long the last events may take to reach containerd. */
  private static final Duration DRAIN_WAIT_MAX = Duration.ofSeconds(5);

  private final DaemonRecord record;
  private final RunDirectory directory;
  private final ContainerLogs logs = new ContainerLogs();
  private final Outbox events;
  private final Server server;
  private final Linger linger;
  private final Removals removals;
  private final Containers containers;
  private final Succession succession;
  private final Shortcuts shortcuts;
  private final Mistakes mistakes;
  private List<Container> taken = List.of(); // over from another daemon; of the main thread

  private Daemon(Arguments arguments, String events, DaemonRecord own, MessagesAhead messages) throws IOException {
    shortcuts = arguments.shortcuts();
    mistakes = new Mistakes(arguments.mistakes());
    directory = new RunDirectory(arguments.runDirectory());
    var identity =
        new Identity(arguments.namespace(), arguments.mode(), arguments.address(), arguments.runDirectory(),
            arguments.build(), arguments.mistakes());
    directory.prepare();
    Self.requirePlatform();
    Self.raiseOpenFiles(); // first: a daemon that is taken over may have had more of them than programs may by default
    Self.newSession();
    if (!System.getenv().getOrDefault("SCHED_CORE", "").isEmpty()) {
      Self.coreScheduling();
    }
    Self.becomeSubreaper();
    messages.await();
    succession = Succession.of(arguments.survival(), identity, own);
    record = succession.record();
    RecordKeeping keeping = succession.keeping();
    List<Saved.Event> waiting = succession.saved().isPresent() ? succession.saved().get().events() : List.of();
    this.events = Outbox.start(arguments.namespace(), events, keeping, waiting);
    containers = new Containers(arguments.namespace(), this.events, succession.shelf(), keeping,
        RuncLimits.of(arguments.runcTimeout()), arguments.killExecTree(),
        arguments.nativeRunc() ? KnownRuntimes.empty() : KnownRuntimes.NONE);
    var tasks = new TaskService(containers, this);
    var inspection = new Inspection(identity, containers, this.events);
    removals = new Removals(directory, containers, this);
    linger = new Linger(directory, containers, arguments.linger(), record);
    List<Service> services = new ArrayList<>(TaskHandlers.services(tasks));
    services.add(inspection.service());
    Optional<HandOver> handOver = succession.handOver();
    if (handOver.isPresent()) {
      services.add(handOver.get().service());
    }
    Log.to(Journal.of(arguments.journal(), arguments.namespace(), logs));
    Door door = succession.estate().isPresent() ? succession.estate().get().door() : SocketDoor.listen(own.socket());
    server = new Server(door, services, new ErrorCodes());
    inspection.shows(server);
    if (handOver.isPresent()) {
      handOver.get().of(server);
    }
    if (succession.saved().isPresent()) {
      DaemonEntry before = succession.saved().get().daemon();
      inspection.tookOver(succession.takeovers(), before.getPid(), before.getBuild());
    }
    if (!arguments.stuck().isZero()) {
      server.logStuckAfter(arguments.stuck());
    }
  }

  /**
   * Makes a daemon that listens. containerd takes events at the socket {@code events}; without one (empty) they are
   * dropped.
   *
   * @throws IOException when the socket cannot be opened or the run directory cannot be written
   */
  public static Daemon start(Arguments arguments, String events) throws IOException {
    Log.debug(arguments.debug());
    Threads.use(arguments.threads());
    MessagesAhead messages = MessagesAhead.begin();
    messages.share();
    var daemon = new Daemon(arguments, events, DaemonRecord.own(arguments.runDirectory()), messages);
    try {
      if (daemon.succession.saved().isPresent()) {
        daemon.directory.publish(daemon.record); // whoever is answered by this daemon finds it
      }
      daemon.serve();
      daemon.directory.publish(daemon.record);
      if (arguments.survival().standsBy()) {
        RunLinks.make(daemon.directory.path(), arguments.build());
      }
    } catch (IOException e) {
      Files.deleteIfExists(daemon.record.socket());
      throw e;
    }
    return daemon;
  }

  /** Begins to answer: with the containers and connections of the daemon before, if there was one. */
  private void serve() throws IOException {
    Optional<Saved> saved = succession.saved();
    if (saved.isEmpty()) {
      server.start();
      return;
    }
    try {
      taken = containers.resume(saved.get().containers(), succession.remains());
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    }
    server.start(succession.estate().orElseThrow().lines(), new Unanswered(containers, saved.get().deleted()));
    for (Container container : taken) {
      container.awaitEnds();
    }
  }

  /** The record that names this daemon in the run directory. */
  public DaemonRecord record() {
    return record;
  }

  /** Serves until the daemon has had no container for the linger time. Runs on the main thread. */
  public void run() throws InterruptedException {
    prepare();
    linger.await();
    end();
    succession.close();
    DeadDirectories.removeOwn(directory.path());
  }

  /** Clients have the address already, so a lack of threads or descriptors here must not end the daemon. */
  private void prepare() {
    Orphans.reap();
    Threads.atShutdown("shutdown", this::end);
    ThreadDumps.onSignal(directory.path());
    try {
      Carriers.keep();
      Poller.shared().begin();
      shortcuts.use(directory.path());
      Flow.prepare();
      removals.start();
      Aside.prepare();
      Threads.startPlatform("sweep", () -> DeadDirectories.sweepLater(directory.path()));
    } catch (ErrnoException | OutOfMemoryError e) { // no OS thread, no descriptor; a wait asks for a poller again
      Log.warn("something is missing; the daemon goes on without it", "error", String.valueOf(e.getMessage()));
    }
    Log.prepare();
    succession.prepare(directory.path());
    if (!taken.isEmpty()) {
      Threads.start("going-on", new GoingOn(taken, containers, logs));
      taken = List.of();
    }
  }

  /** Takes no more calls, delivers the last events and removes the daemon's files. Containers keep running. */
  private void end() {
    succession.end();
    try {
      directory.withdraw(record);
      server.close();
      Files.deleteIfExists(record.socket());
    } catch (IOException e) {
      Log.warn("failed to clean the run directory", "error", String.valueOf(e.getMessage()));
    }
    events.close(DRAIN_WAIT_MAX);
    succession.keeping().end();
  }

  @Override
  public void beforeCreate(String id) {
    removals.look(id); // first, or the mark of an earlier container of this name would remove the new one
  }

  @Override
  public void creating(String id, Path bundle) throws IOException, InterruptedException {
    linger.changed();
    removals.coming();
    var arrival = new Arrival(directory, bundle, record);
    Optional<Fd> log = Aside.run("open log in " + bundle, arrival, arrival);
    directory.created(id);
    if (log.isPresent()) {
      logs.put(id, log.get());
    }
    mistakes.log();
  }

  /** What is done in a bundle when its Create comes. */
  private record Arrival(RunDirectory directory, Path bundle, DaemonRecord record)
      implements Aside.Step<Optional<Fd>>, Aside.Undoing<Optional<Fd>> {
    @Override
    public Optional<Fd> run() {
      directory.writeAddress(bundle, record);
      return ContainerLogs.find(bundle);
    }

    @Override
    public void undo(Optional<Fd> log) {
      log.ifPresent(Fd::close);
    }
  }

  @Override
  public boolean leased(String id) {
    return directory.leased(id);
  }

  @Override
  public void createFailed(Path bundle) {
    Aside.finish("remove address in " + bundle, new Aside.Last() {
      @Override
      public void run() {
        directory.removeAddress(bundle);
      }
    });
  }

  @Override
  public void deleted(Path bundle, DeleteResponse response) {
    try {
      Aside.run("write loom.deleted in " + bundle, () -> {
        directory.deleted(bundle, response);
        directory.removeAddress(bundle);
        return bundle;
      });
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the caller has gone; the step goes on and writes the file
    } catch (IOException e) {
      Log.warn("failed to record the answer for delete", "path", bundle.toString(),
          "error", String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void gone(String id) {
    logs.close(id);
    linger.changed();
  }

  @Override
  public void shutdownRequested() {
    linger.shutdownAsked();
  }
}
