package io.loomshim.daemon;

import io.loomshim.event.Outbox;
import io.loomshim.inspect.About;
import io.loomshim.inspect.Inspection;
import io.loomshim.linux.Carriers;
import io.loomshim.linux.Inotify;
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
import java.util.concurrent.locks.ReentrantLock;

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

  private static final int UMASK = 022;

  private final Path socket;
  private final String record;
  private final RunDirectory directory;
  private final ContainerLogs logs = new ContainerLogs();
  private final Outbox events;
  private final TaskService tasks;
  private final Server server;
  private final Linger linger;
  private final ReentrantLock removals = new ReentrantLock(); // orders them against creations

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
    linger = new Linger(directory, tasks, arguments.linger(), record);
    List<Service> services = new ArrayList<>(TaskHandlers.services(tasks));
    services.add(inspection.service());
    directory.prepare();
    Self.newSession();
    if (!System.getenv().getOrDefault("SCHED_CORE", "").isEmpty()) {
      Self.coreScheduling();
    }
    Self.umask(UMASK);
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
    daemon.directory.publish(daemon.record);
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
    try {
      prepare();
    } catch (IOException e) {
      Log.error("daemon cannot run", "error", String.valueOf(e.getMessage()));
      end();
      return;
    }
    linger.await();
    end();
  }

  private void prepare() throws IOException {
    Carriers.keep();
    Threads.atShutdown("shutdown", this::end);
    ThreadDumps.onSignal(directory.path());
    Inotify inotify = Inotify.open();
    int watch = inotify.watch(directory.removed(), Inotify.CREATE | Inotify.MOVED_TO);
    assert watch >= 0;
    Threads.start("removed", () -> watchRemoved(inotify));
    Log.prepare();
  }

  /** The story of the thread {@code removed}. */
  private void watchRemoved(Inotify inotify) {
    try {
      while (true) {
        for (Inotify.Event event : inotify.take()) {
          removed(event.name());
        }
      }
    } catch (IOException | InterruptedException e) {
      Log.error("removals are not watched any more", "error", String.valueOf(e.getMessage()));
    }
  }

  /** Gives up the container {@code id} if a {@code delete} has removed it and nobody has acted on that yet. */
  private void removed(String id) {
    removals.lock();
    try {
      if (directory.takeRemoved(id)) {
        tasks.abandon(id);
      }
    } finally {
      removals.unlock();
    }
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
    removed(id); // before the mark of the earlier container could hit the new one
  }

  @Override
  public void creating(String id, Path bundle) {
    linger.changed();
    directory.introduce(bundle, record);
    directory.created(id);
    logs.open(id, bundle);
  }

  @Override
  public boolean promised(String id) {
    return directory.leased(id);
  }

  @Override
  public void vacated(Path bundle) {
    directory.takeLeave(bundle);
  }

  @Override
  public void deleted(String id, DeleteResponse response) {
    directory.deleted(id, response);
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
