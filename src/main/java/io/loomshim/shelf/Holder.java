package io.loomshim.shelf;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.Poller;
import io.loomshim.linux.ProcessCalls;
import io.loomshim.linux.WholeFile;
import io.loomshim.log.Log;
import io.loomshim.process.Child;
import io.loomshim.process.Processes;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The process that has the ends of the {@link Shelf} and starts the next daemon: a shell that waits for the end of a
 * pipe whose only writer is the daemon, and then for each daemon that it has started. It costs no wake-up and 0.3 MB.
 * The kernel kills it last when there is no memory.
 *
 * <p>It ends when a daemon ends in order, when it is told to ({@link #end}), and at the third death within a minute.
 * Then everything that is on the shelf is closed, and containerd cleans up.
 *
 * <p>If it is lost, the daemon starts another one. The thread {@code holder} waits for that. All methods may be called
 * from any thread; {@code lock} guards the replacement.
 */
public final class Holder {
  /** The number that the first end of the shelf has in the holder and in the daemons that it starts. */
  public static final int FIRST_END = 3;

  /** The same for the lock that a living daemon has on its run directory. */
  public static final int ALIVE = FIRST_END + Shelf.ENDS;

  /** How a daemon is told {@link #FIRST_END}. */
  static final String INHERIT = "-inherit";

  /** How far apart three deaths must be: what kills a daemon again and again is not to kill for ever. */
  private static final int DEATHS_SECONDS = Integer.getInteger("loomshim.deaths.seconds", 60);

  /** How long a daemon that ends waits for the end of a holder that it has killed. */
  private static final Duration END_WAIT_MAX = Duration.ofSeconds(1);

  /** In the run directory: {@code PID STARTTIME} of the holder, for launchers, which wait for it to take over. */
  static final String FILE = "holder";

  private static final String SHELL = "/bin/sh";
  private static final String NAME = "loomshim-holder";

  /**
   * Arguments: a daemon's OOM score, {@link #DEATHS_SECONDS}, the command of the next daemon. A status of more than 128
   * is that of a signal (sh(1)); 143 is SIGTERM's, which ends a daemon in order. A holder that is stopped gets SIGHUP
   * when its daemon dies (setpgid(2)).
   */
  private static final String SCRIPT = """
      score=$1 within=$2
      shift 2
      trap '' HUP
      { printf %s -1000 > /proc/self/oom_score_adj; } 2> /dev/null
      IFS= read -r word
      before='' last=''
      while :; do
        IFS=. read -r now word < /proc/uptime
        if [ -n "$before" ] && [ $((now - before)) -lt "$within" ]; then
          echo "holder: the daemon has died three times within $within s: it is given up" >&2
          exit 1
        fi
        before=$last last=$now
        ( trap - HUP
          { printf %s "$score" > /proc/self/oom_score_adj; } 2> /dev/null
          exec "$@" < /dev/null )
        status=$?
        if [ $status -le 128 ] || [ $status -eq 143 ]; then exit $status; fi
      done
      """;

  private final Shelf shelf;
  private final Fd alive;
  private final Path directory;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean ended;
  private boolean settled;
  private volatile Optional<Fd> process = Optional.empty();
  private Optional<Fd> writer = Optional.empty(); // of the pipe; for as long as this process lives

  // classes, as a daemon that takes over would have to make those of lambdas
  private record End(Holder holder) implements Runnable {
    @Override
    public void run() {
      holder.end();
    }
  }

  private record Loss(Holder holder, Fd pidfd, Optional<Child> child) implements Runnable {
    @Override
    public void run() {
      holder.awaitLoss(pidfd, child);
    }
  }

  private Holder(Shelf shelf, Fd alive, Path directory) {
    this.shelf = shelf;
    this.alive = alive;
    this.directory = directory;
  }

  /**
   * Starts a holder for the first daemon.
   *
   * @param alive the lock on the run directory, which the holder has too
   * @param directory the run directory
   */
  public static Holder start(Shelf shelf, Fd alive, Path directory) throws IOException, InterruptedException {
    var holder = new Holder(shelf, alive, directory);
    shelf.onFailure(new End(holder));
    holder.begin();
    return holder;
  }

  /** The holder that has started this daemon, its parent; nothing when that has been lost since. */
  public static Optional<Holder> parent(Shelf shelf, Fd alive, Path directory) throws IOException {
    var holder = new Holder(shelf, alive, directory);
    int pid = parent();
    Fd pidfd = ProcessCalls.openPidfd(pid);
    // whoever is the parent of orphans here is not ours to end; and the pid has not changed its meaning meanwhile
    if (!commandLine(Integer.toString(pid)).contains(NAME) || pid != parent()) {
      pidfd.close();
      return Optional.empty();
    }
    shelf.onFailure(new End(holder));
    holder.process = Optional.of(pidfd);
    try {
      holder.publish(pid); // the daemon before may have been killed when it had just started it
    } catch (IOException e) {
      Log.warn("launchers are not told of the holder", "error", String.valueOf(e.getMessage()));
    }
    Threads.start("holder", new Loss(holder, pidfd, Optional.empty()));
    return Optional.of(holder);
  }

  private static int parent() throws IOException {
    return (int) ProcessHandle.current().parent().orElseThrow(() -> new IOException("no parent")).pid();
  }

  private static List<String> commandLine(String pid) throws IOException {
    return List.of(Files.readString(Path.of("/proc", pid, "cmdline"), StandardCharsets.UTF_8).split("\0"));
  }

  private void publish(int pid) throws IOException {
    WholeFile.renew(directory.resolve(FILE), pid + " " + Processes.startTime(Integer.toString(pid)) + "\n");
  }

  private void begin() throws IOException, InterruptedException {
    try (Pipe pipe = Pipe.open(); Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      var fds = new ArrayList<Fd>(List.of(pipe.reader(), nothing, new Fd(2)));
      fds.addAll(shelf.ends());
      fds.add(alive);
      Child child = Spawner.spawn(new Spawn(command(), environment(), directory, fds));
      try {
        publish(child.pid());
        Fd pidfd = ProcessCalls.openPidfd(child.pid());
        Fd end = pipe.writer().duplicate();
        process = Optional.of(pidfd);
        writer.ifPresent(Fd::close);
        writer = Optional.of(end);
        Threads.start("holder", new Loss(this, pidfd, Optional.of(child)));
      } catch (IOException | RuntimeException | Error e) {
        child.close(); // nobody would know of it, and it would start a daemon
        throw e;
      }
    }
    if (ended) {
      end();
    }
  }

  private static List<String> command() throws IOException {
    String score = Files.readString(Path.of("/proc/self/oom_score_adj")).strip();
    var command = new ArrayList<>(List.of(SHELL, "-c", SCRIPT, NAME, score, Integer.toString(DEATHS_SECONDS)));
    command.addAll(signals());
    command.addAll(commandLine("self"));
    int standBy = command.indexOf(StandBy.OPTION);
    if (standBy >= 0) {
      command.subList(standBy, standBy + 2).clear(); // the next daemon does not wait
    }
    if (!command.contains(INHERIT)) {
      command.addAll(List.of(INHERIT, Integer.toString(FIRST_END)));
    }
    return command;
  }

  /** What must stand before the command line of a daemon that a daemon starts. */
  static List<String> signals() {
    return ProcessCalls.blocked(ProcessCalls.SIGCHLD) ? List.of("/usr/bin/env", "--block-signal=CHLD") : List.of();
  }

  /** This process's own. */
  static List<String> environment() {
    var environment = new ArrayList<String>();
    for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
      environment.add(variable.getKey() + "=" + variable.getValue());
    }
    return environment;
  }

  private void awaitLoss(Fd pidfd, Optional<Child> child) {
    try {
      Poller.shared().awaitReadable(pidfd, Deadline.NEVER);
      if (child.isPresent()) {
        child.get().await();
      }
      replace(pidfd);
    } catch (IOException | OutOfMemoryError e) {
      shelf.fail(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * The end of the pipe that the holder waits for: it starts no daemon as long as any process has it. A holder that
   * waits for its child in its place is replaced first. It stays this object's.
   *
   * @throws IOException when there cannot be another holder; then the present one stays
   */
  public Fd pipe() throws IOException, InterruptedException {
    lock.lock();
    try {
      if (writer.isEmpty()) {
        Optional<Fd> parent = process;
        begin();
        parent.ifPresent(Holder::kill);
      }
      return writer.orElseThrow();
    } finally {
      lock.unlock();
    }
  }

  /** Starts another one in the place of {@code lost}, if that is the present one and there is to be one. */
  private void replace(Fd lost) throws IOException, InterruptedException {
    lock.lock();
    try {
      if (!ended && !settled && process.isPresent() && process.get() == lost) {
        Log.warn("the holder was lost; another one is started");
        begin();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * The daemon is about to end, and another one to go on: the holder is not replaced any more if it is lost.
   *
   * @return false when it is not the one that waits for {@code pipe}; then nothing has changed
   */
  public boolean settle(Fd pipe) {
    lock.lock();
    try {
      settled = writer.isPresent() && writer.get() == pipe && process.isPresent() && !process.get().ready();
      return settled;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for its end, which {@link #end} has brought about: until then it has the lock on the run directory. */
  public void awaitEnd() {
    try {
      if (process.isPresent()) { // from now on it stays the same one
        Poller.shared().awaitReadable(process.get().duplicate(), Deadline.in(END_WAIT_MAX));
      }
    } catch (ErrnoException e) {
      // a later sweep removes the directory
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends it, at once: nothing is taken over from now on, and what is on the shelf closes with this daemon. */
  public void end() {
    ended = true;
    process.ifPresent(Holder::kill);
  }

  static void kill(Fd pidfd) {
    ProcessCalls.signal(pidfd, ProcessCalls.SIGKILL);
  }
}
