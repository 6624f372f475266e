package io.loomshim.runc;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.MemoryFile;
import io.loomshim.process.Child;
import io.loomshim.process.Programs;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import io.loomshim.threads.Aside;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs commands of one container's runtime as processes, in its bundle. Every command has a limit from {@link
 * RuncLimits}; when it passes, or when the calling thread is interrupted, the process is killed with SIGKILL and reaped
 * before the call ends. What the runtime has made until then (a container, processes) stays and is the caller's to
 * remove.
 *
 * <p>May be called from any thread, by several at once. The program is looked up in PATH once.
 */
final class CommandRunner {
  private static final String DEV_NULL = "/dev/null";

  private final RuncSettings settings;
  private final Path bundle;
  private final RuncLimits limits;
  private final RuncCalls calls;
  private final Variables variables;
  private volatile String program = ""; // empty until it has been found

  /**
   * Runs the program of {@code settings} in {@code bundle}.
   *
   * @param environment that of the program, but for the variable of the service manager
   * @param calls is told of each command
   */
  CommandRunner(RuncSettings settings, Path bundle, RuncLimits limits, Map<String, String> environment,
      RuncCalls calls) {
    this.settings = settings;
    this.bundle = bundle;
    this.limits = limits;
    this.calls = calls;
    this.variables = Variables.of(environment);
  }

  RuncSettings settings() {
    return settings;
  }

  RuncLimits limits() {
    return limits;
  }

  /** The environment of every command, {@code NAME=value} each. */
  List<String> environment() {
    return variables.lines();
  }

  /**
   * Runs {@code command} with stdin from /dev/null ({@link RuncCommand.Update}: the resources) and collects what it
   * prints to stdout and stderr, in one text, bounded by {@link RuncLimits#OUTPUT_BYTES_KEPT}.
   *
   * @return what it printed
   * @throws RuncException if it cannot be started, exits with another status than 0, or takes longer than its limit
   * @throws InterruptedException if this thread was interrupted; the command has been killed
   */
  String run(RuncCommand command) throws RuncException, InterruptedException {
    var logOffset = new AtomicLong();
    try (MemoryFile output = MemoryFile.empty(RuncLimits.OUTPUT_BYTES_MAX)) {
      int status = capture(command, output.fd(), logOffset);
      String text = new String(output.written(RuncLimits.OUTPUT_BYTES_KEPT), StandardCharsets.UTF_8);
      check(status, ": " + text.strip(), logOffset);
      return text;
    } catch (RuncException e) {
      throw e;
    } catch (IOException e) {
      throw RuncException.refused(e, logged(logOffset));
    }
  }

  /**
   * Runs {@code command} with {@code stdio} as its stdin, stdout and stderr, which stay open here and stay the
   * caller's. The call ends with the command, even if others have them open.
   *
   * @throws RuncException as {@link #run(RuncCommand)}
   * @throws InterruptedException if this thread was interrupted; the command has been killed
   */
  void run(RuncCommand command, List<Fd> stdio) throws RuncException, InterruptedException {
    var logOffset = new AtomicLong();
    try {
      check(perform(command, stdio, logOffset), "", logOffset);
    } catch (RuncException e) {
      throw e;
    } catch (IOException e) {
      throw RuncException.refused(e, logged(logOffset));
    }
  }

  /** Runs {@code command} with /dev/null as its stdin, stdout and stderr. */
  void runSilent(RuncCommand command) throws RuncException, InterruptedException {
    try (Fd nothing = Fd.open(DEV_NULL, Fd.O_RDWR, 0)) {
      run(command, List.of(nothing, nothing, nothing));
    } catch (ErrnoException e) {
      throw RuncException.refused(e, new RuncLog.Finding.None());
    }
  }

  private int capture(RuncCommand command, Fd output, AtomicLong logOffset)
      throws IOException, InterruptedException {
    if (command instanceof RuncCommand.Update update) {
      byte[] resources = (update.resources() + "\n").getBytes(StandardCharsets.UTF_8);
      try (MemoryFile input = MemoryFile.of(resources)) {
        return perform(command, List.of(input.fd(), output, output), logOffset);
      }
    }
    try (Fd nothing = Fd.open(DEV_NULL, Fd.O_RDONLY, 0)) {
      return perform(command, List.of(nothing, output, output), logOffset);
    }
  }

  /**
   * Runs the command to its end and returns its status; {@link RuncCalls} shows it meanwhile. {@code logOffset} becomes
   * the size that the log has before.
   */
  private int perform(RuncCommand command, List<Fd> stdio, AtomicLong logOffset)
      throws IOException, InterruptedException {
    RuncCalls.Running running = calls.begin(command);
    String outcome = RuncCalls.NOT_STARTED;
    try {
      Child child = spawn(command, stdio, logOffset);
      running.began(child);
      command.started();
      outcome = RuncCalls.TIMED_OUT;
      int status = await(command, child);
      outcome = Integer.toString(status);
      return status;
    } catch (InterruptedException e) {
      outcome = RuncCalls.INTERRUPTED;
      throw e;
    } finally {
      running.end(outcome);
    }
  }

  private Child spawn(RuncCommand command, List<Fd> stdio, AtomicLong logOffset)
      throws IOException, InterruptedException {
    String what = "start " + settings.binary() + " " + command.name() + " in " + bundle;
    return Spawner.spawn(what, stdio, new Plan(this, command, logOffset));
  }

  /** What must be known of the bundle and the PATH first. */
  private record Plan(CommandRunner runner, RuncCommand command, AtomicLong logOffset) implements Aside.Step<Spawn> {
    @Override
    public Spawn run() throws RuncException, InterruptedException {
      if (command instanceof RuncCommand.Exec exec) {
        exec.process().write();
      }
      logOffset.set(RuncLog.size(runner.settings.log()));
      var argv = new ArrayList<String>(32);
      String program = runner.program();
      argv.add(program);
      argv.addAll(runner.settings.args());
      argv.addAll(command.args());
      return new Spawn(argv, runner.environment(), runner.bundle, List.of(), SealedPrograms.image(program));
    }
  }

  /** {@code pid} is the init that a command has just made, which waits for its start. Waits for nothing. */
  void created(int pid) {
    SealedPrograms.observe(program, pid);
  }

  /** A path as it is, relative ones from the bundle; a name from PATH. For steps of {@link Aside}. */
  String program() throws RuncException, InterruptedException {
    if (program.isEmpty()) {
      program = settings.binary().contains("/") ? bundle.resolve(settings.binary()).toString() : lookedUp();
    }
    return program;
  }

  private String lookedUp() throws RuncException, InterruptedException {
    Optional<Path> found = Programs.find(settings.binary(), variables.path());
    if (found.isEmpty()) {
      String text = "exec: \"" + settings.binary() + "\": executable file not found in $PATH";
      throw failed(text, new AtomicLong(RuncLog.size(settings.log())));
    }
    return found.get().toString();
  }

  private int await(RuncCommand command, Child child) throws RuncException, InterruptedException {
    Duration limit = limits.of(command);
    boolean ended = false;
    try {
      OptionalInt status = child.await(limit);
      ended = status.isPresent();
      if (ended) {
        return status.getAsInt();
      }
    } catch (InterruptedException e) {
      throw new InterruptedException(settings.binary() + " " + command.name() + " was interrupted and killed");
    } finally {
      if (!ended) {
        kill(command, child);
      }
    }
    throw overdue(command);
  }

  /** What the caller of {@code command} is told when it has taken too long. */
  RuncException overdue(RuncCommand command) {
    String text = " did not answer within " + seconds(limits.of(command)) + " and was killed";
    return RuncException.timedOut(settings.binary() + " " + command.name() + text);
  }

  /**
   * Ends runc and what it has started and waits for, such as a hook. Reaping is left to a thread of its own, so that a
   * process stuck in the kernel cannot hold this one for ever.
   */
  private static void kill(RuncCommand command, Child child) {
    child.killGroup();
    Thread reaper = Threads.start(threadName(command, "kill"), child::close);
    Joins.join(reaper, RuncLimits.REAP_WAIT_MAX);
  }

  private void check(int status, String output, AtomicLong logOffset) throws RuncException, InterruptedException {
    if (status != 0) {
      String text = settings.binary() + " did not terminate successfully";
      throw failed(output.length() <= ": ".length() ? text + ": exit status " + status : text + output, logOffset);
    }
  }

  private RuncException failed(String text, AtomicLong logOffset) throws InterruptedException {
    try {
      return Aside.run("read " + settings.log(), () -> explained(text, RuncLog.find(settings.log(), logOffset.get())));
    } catch (IOException e) {
      return RuncException.failed(text, new RuncLog.Finding.Unreadable(e.getMessage()));
    }
  }

  /** A runc that had no room for its log may have had none for anything else, but could not say so. */
  private RuncException explained(String text, RuncLog.Finding finding) {
    if (!(finding instanceof RuncLog.Finding.Message) && full()) {
      return RuncException.refused(text + " (" + bundle + ": No space left on device)", finding);
    }
    return RuncException.failed(text, finding);
  }

  private boolean full() {
    File disk = bundle.toFile();
    return disk.getTotalSpace() > 0 && disk.getFreeSpace() == 0;
  }

  private RuncLog.Finding logged(AtomicLong offset) throws InterruptedException {
    try {
      return Aside.run("read " + settings.log(), () -> RuncLog.find(settings.log(), offset.get()));
    } catch (IOException e) {
      return new RuncLog.Finding.Unreadable(e.getMessage());
    }
  }

  private static String threadName(RuncCommand command, String task) {
    return "runc/" + command.name() + "/" + command.id() + "/" + task;
  }

  private static String seconds(Duration limit) {
    return limit.toMillisPart() == 0 ? limit.toSeconds() + " s" : limit.toMillis() + " ms";
  }
}
