package io.loomshim.daemon;

import io.loomshim.event.Outbox;
import io.loomshim.inspect.About;
import io.loomshim.inspect.Inspection;
import io.loomshim.linux.Aside;
import io.loomshim.linux.Carriers;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.FileLock;
import io.loomshim.linux.Flow;
import io.loomshim.linux.Orphans;
import io.loomshim.linux.Poller;
import io.loomshim.linux.Self;
import io.loomshim.log.Log;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.runc.RuncLimits;
import io.loomshim.task.ErrorCodes;
import io.loomshim.task.Host;
import io.loomshim.task.TaskHandlers;
import io.loomshim.task.TaskService;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One daemon: it serves every container of a namespace from the moment it listens until {@link Linger} says
 * that nobody needs it.
 *
 * <p>{@link #start} does only what a first client needs, on two threads where it can; {@link #run} then prepares
 * the rest.
 */
final class Daemon implements Host {
  /** How long the last events may take to reach containerd. */
  private static final Duration DRAIN_WAIT_MAX = Duration.ofSeconds(5);

  private final Path socket;
  private final String record;
  private final RunDirectory directory;
  private final ContainerLogs logs = new ContainerLogs();
  private final Outbox events;
  private final TaskService tasks;
  private final Server server;
  private final Linger linger;
  private final Removals removals;
  private final FileLock alive; // for as long as this process lives

  private Daemon(Arguments arguments, String events, Listener listener, String record) throws IOException {
    this.socket = listener.socket();
    this.record = record;
    directory = new RunDirectory(arguments.runDirectory());
    this.events = Outbox.start(arguments.namespace(), events);
    tasks = new TaskService(arguments.namespace(), this.events, this, RuncLimits.of(arguments.runcTimeout()),
        arguments.killExecTree());
    var about =
        new About(arguments.namespace(), arguments.mode(), arguments.address(), arguments.runDirectory());
    var inspection = new Inspection(about, tasks, this.events);
    removals = new Removals(directory, tasks);
    linger = new Linger(directory, tasks, arguments.linger(), record);
    List<Service> services = new ArrayList<>(TaskHandlers.services(tasks));
    services.add(inspection.service());
    directory.prepare();
    alive = FileLock.shareDirectory(directory.path());
    Self.raiseOpenFiles();
    Self.newSession();
    if (!System.getenv().getOrDefault("SCHED_CORE", "").isEmpty()) {
      Self.coreScheduling();
    }
    Self.becomeSubreaper();
    Log.to(logs);
    server = new Server(listener.channel(), services, new ErrorCodes());
    inspection.shows(server);
    if (!arguments.stuck().isZero()) {
      server.logStuckAfter(arguments.stuck());
    }
  }

  /** Makes a daemon that listens; containerd takes events at the socket {@code events}, or nobody does. */
  static Daemon start(Arguments arguments, String events) throws IOException {
    Log.debug(arguments.debug());
    Threads.use(arguments.threads());
    String pid = Long.toString(ProcessHandle.current().pid());
    String startTime = startTime();
    // the start time makes the name unique: a later daemon with our pid must not be taken for us
    Path socket = arguments.runDirectory().resolve(pid + "-" + startTime + ".sock");
    var daemon = new Daemon(arguments, events, Listener.begin(socket), pid + " " + startTime + " unix://" + socket);
    daemon.server.start();
    try {
      daemon.directory.publish(daemon.record);
    } catch (IOException e) {
      Files.deleteIfExists(socket);
      throw e;
    }
    return daemon;
  }

  /** Clock ticks between boot and the start of this process: field 22 of proc_pid_stat(5). */
  private static String startTime() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19];
  }

  /** {@code PID STARTTIME ADDRESS}, as in the run directory. */
  String record() {
    return record;
  }

  /** Serves until nobody needs this daemon any more; runs on the main thread. */
  void run() throws InterruptedException {
    prepare();
    linger.await();
    end();
    alive.close();
    DeadDirectories.removeOwn(directory.path());
  }

  /** Clients have the address already, so what cannot be had here must not end the daemon. */
  private void prepare() {
    Orphans.reap();
    Threads.atShutdown("shutdown", this::end);
    ThreadDumps.onSignal(directory.path());
    try {
      Carriers.keep();
      Poller.shared().begin();
      Flow.prepare();
      removals.start();
      Aside.prepare();
      Threads.startPlatform("sweep", () -> DeadDirectories.sweepLater(directory.path()));
    } catch (ErrnoException | OutOfMemoryError e) { // no OS thread, no descriptor; a wait asks for a poller again
      Log.warn("the daemon does without what it has not got", "error", String.valueOf(e.getMessage()));
    }
    Log.prepare();
  }

  /** Ends the daemon's part: no new calls, the last events out, no file left. Containers run on. */
  private void end() {
    try {
      directory.withdraw(record);
      server.close();
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      Log.warn("run directory not cleaned", "error", String.valueOf(e.getMessage()));
    }
    events.close(DRAIN_WAIT_MAX);
  }

  @Override
  public void arriving(String id) {
    removals.look(id); // before the mark of the earlier container could hit the new one
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
  }

  /** What is done in a bundle when its Create comes. */
  private record Arrival(RunDirectory directory, Path bundle, String record)
      implements Aside.Step<Optional<Fd>>, Aside.Undoing<Optional<Fd>> {
    @Override
    public Optional<Fd> run() {
      directory.introduce(bundle, record);
      return ContainerLogs.find(bundle);
    }

    @Override
    public void undo(Optional<Fd> log) {
      log.ifPresent(Fd::close);
    }
  }

  @Override
  public boolean promised(String id) {
    return directory.leased(id);
  }

  @Override
  public void vacated(Path bundle) {
    Aside.finish("remove address in " + bundle, new Aside.Last() {
      @Override
      public void run() {
        directory.takeLeave(bundle);
      }
    });
  }

  @Override
  public void deleted(Path bundle, DeleteResponse response) {
    try {
      Aside.run("write loom.deleted in " + bundle, () -> {
        directory.deleted(bundle, response);
        directory.takeLeave(bundle);
        return bundle;
      });
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody waits for the call; the file comes all the same
    } catch (IOException e) {
      Log.warn("answer for delete not recorded", "path", bundle.toString(), "error", String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void forgotten(String id) {
    logs.close(id);
    linger.changed();
  }

  @Override
  public void shutdownAsked() {
    linger.shutdownAsked();
  }
}
