package io.loomshim.stdio;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The three streams of one process without a terminal, from the opening of the client's fifos until
 * the process is deleted.
 *
 * <p>Each is an anonymous pipe of the process's own, and a {@link Pump} moves what is in it: nothing inside can tell
 * who is outside, nor reach what is there by opening its streams anew. An output fifo is kept from ending by a reader
 * of our own until {@link #close}, so that a client may leave and another come, and what was not read waits; an input
 * fifo by a writer of our own until {@link #closeStdin}.
 *
 * <p>Opened and started by the thread of the call that creates the process; the other methods may be
 * called from any thread, one at a time.
 */
public final class ProcessIo implements Streams {
  /** How long a pipe may be kept open by others after the end of the process before its client's end is closed. */
  static final Duration LEFT_OPEN_MAX = Duration.ofSeconds(2);

  /** Who must own the process's streams. */
  public record Owner(int uid, int gid) {}

  /** Makes the pump of a stream from its two ends, which that owns from then on. */
  private interface Start {
    Pump pump(String name, Fd from, Fd to) throws IOException;
  }

  /** A stream that will be moved once the process has started. */
  private record Waiting(List<Pump> kind, String stream, Fd from, Fd to, Start start) {}

  private final String name;
  private final Owner owner;
  private final List<Fd> childFds = new ArrayList<>();
  private final List<Fd> handedOver = new ArrayList<>();
  private final List<Fd> keepers = new ArrayList<>();
  private final List<StreamFile> pipes = new ArrayList<>();
  private final List<Waiting> waiting = new ArrayList<>();
  private final List<Pump> outputs = new ArrayList<>();
  private final List<Pump> inputs = new ArrayList<>();
  private Optional<Fd> stdinKeeper = Optional.empty();
  private Optional<Logger> logger = Optional.empty();
  private volatile boolean waitedFor;

  private ProcessIo(String name, Owner owner) {
    this.name = name;
    this.owner = owner;
  }

  /**
   * Opens the streams; waits for a reader of each output fifo.
   *
   * @param name what the threads of the streams are called after
   * @param context whose output a logger takes
   * @throws StatusException DEADLINE_EXCEEDED without a reader, INVALID_ARGUMENT for an unknown scheme
   * @throws IOException {@code containerd-shim: opening PATH failed: …}
   */
  public static ProcessIo open(String name, StdioPaths paths, Owner owner, LogContext context)
      throws IOException, InterruptedException {
    var io = new ProcessIo(name, owner);
    try {
      Target stdout = Target.parse(paths.stdout());
      if (stdout instanceof Target.Logger target) {
        io.logger(target, context);
        return io;
      }
      // a target that is no fifo takes both streams, whatever was said about stderr
      Target stderr = stdout instanceof Target.NewFile ? stdout : Target.parse(paths.stderr());
      io.input(paths.stdin());
      io.output("stdout", stdout);
      if (stderr.equals(stdout)) {
        io.same();
      } else {
        io.output("stderr", stderr);
      }
      return io;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      io.close();
      throw e;
    }
  }

  private void input(String path) throws IOException, InterruptedException {
    if (path.isEmpty()) {
      childFds.add(nothing());
      return;
    }
    Fifos.Ends ends = open(path);
    Fd reader = ends.end();
    keepers.add(reader);
    stdinKeeper = ends.keeper();
    Pipe pipe = Pipe.open();
    give(pipe.reader(), pipe.reader());
    keepers.remove(reader);
    Start start = stdinKeeper.isPresent() ? Pump::betweenPipes : FilePump::fromFile;
    waiting.add(new Waiting(inputs, "stdin", reader, pipe.writer(), start));
    pipe.writer().nonBlocking(true);
  }

  private static Fifos.Ends open(String path) throws IOException, InterruptedException {
    try {
      return Fifos.input(path);
    } catch (ErrnoException e) {
      throw new IOException("containerd-shim: opening " + path + " failed: " + e.getMessage(), e);
    }
  }

  private void output(String stream, Target target) throws IOException, InterruptedException {
    // not a switch over patterns, whose first use takes as long as the rest of a Create
    if (target instanceof Target.None) {
      childFds.add(nothing());
    } else if (target instanceof Target.Path path) {
      Fifos.Ends ends = open(path);
      if (ends.keeper().isPresent()) {
        keepers.add(ends.keeper().get());
        pumped(stream, ends.end(), Pump::betweenPipes);
      } else {
        pumped(stream, ends.end(), FilePump::toFile);
      }
    } else if (target instanceof Target.NewFile made) {
      pumped(stream, NewFiles.open(made.path()), FilePump::toFile);
    } else {
      throw new StatusException(Code.INVALID_ARGUMENT, "a logger takes " + stream + " only together with stdout");
    }
  }

  /** Stderr is what stdout is: one pipe for both keeps the order of what is written to them. */
  private void same() throws IOException {
    Fd stdout = childFds.getLast();
    for (StreamFile pipe : List.copyOf(pipes)) {
      if (pipe.number() == childFds.size() - 1) {
        pipes.add(new StreamFile(childFds.size(), pipe.inode()));
      }
    }
    childFds.add(stdout);
  }

  /** A logger takes both outputs, and its process has no input. */
  private void logger(Target.Logger target, LogContext context) throws IOException, InterruptedException {
    Logger started = Logger.start(name, target, context);
    logger = Optional.of(started);
    pipes.add(StreamFile.pipe(1, started.stdout()));
    pipes.add(StreamFile.pipe(2, started.stderr()));
    childFds.addAll(List.of(nothing(), started.stdout(), started.stderr()));
  }

  private static Fifos.Ends open(Target.Path target) throws IOException, InterruptedException {
    String path = target.path();
    try {
      return Fifos.output(path, new Appending());
    } catch (java.nio.file.FileSystemException e) {
      String why = e instanceof java.nio.file.NoSuchFileException ? "no such file or directory" : e.getMessage();
      throw new IOException("containerd-shim: opening file \"" + path + "\" failed: open " + path + ": " + why, e);
    }
  }

  /** Opens a file that is there. */
  private static final class Appending implements Fifos.Opener {
    @Override
    public Fd open(String path) throws IOException {
      try {
        return Fd.open(path, Fd.O_WRONLY | Fd.O_APPEND, 0);
      } catch (ErrnoException e) {
        throw new IOException("containerd-shim: opening file \"" + path + "\" failed: " + e.getMessage(), e);
      }
    }
  }

  /** Gives a pipe whose bytes will be moved to {@code target}. */
  private void pumped(String stream, Fd target, Start start) throws IOException {
    Pipe pipe;
    try {
      pipe = Pipe.open();
    } catch (ErrnoException e) {
      target.close();
      throw e;
    }
    waiting.add(new Waiting(outputs, stream, pipe.reader(), target, start));
    give(pipe.writer(), pipe.reader());
    pipe.reader().nonBlocking(true);
  }

  private Fd nothing() throws ErrnoException {
    Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0);
    handedOver.add(nothing);
    return nothing;
  }

  /** Gives the end {@code fd} of a pipe. */
  private void give(Fd fd, Fd anyEnd) throws IOException {
    handedOver.add(fd);
    pipes.add(StreamFile.pipe(childFds.size(), anyEnd));
    childFds.add(fd);
    fd.owner(owner.uid(), owner.gid());
  }

  /** What becomes descriptors 0, 1 and 2 of the process. */
  public List<Fd> childFds() {
    return List.copyOf(childFds);
  }

  /** The process has its copies of the descriptors: gives up ours and starts the pumps. */
  public void started() throws IOException {
    for (Fd fd : handedOver) {
      fd.close();
    }
    handedOver.clear();
    logger.ifPresent(Logger::started);
    while (!waiting.isEmpty()) {
      Waiting next = waiting.removeLast();
      next.kind().add(next.start().pump(name + "/" + next.stream(), next.from(), next.to()));
    }
  }

  @Override
  public List<StreamFile> files() {
    return List.copyOf(pipes);
  }

  @Override
  public void closeStdin() {
    stdinKeeper.ifPresent(Fd::close);
  }

  @Override
  public boolean awaitDrained(Deadline deadline) throws InterruptedException {
    waitedFor = true;
    Deadline leftOpen = Deadline.in(LEFT_OPEN_MAX);
    for (Pump pump : outputs) {
      if (!pump.awaitEnd(deadline.nanosLeft() < leftOpen.nanosLeft() ? deadline : leftOpen) && !deadline.passed()) {
        pump.finish();
      }
    }
    for (Pump pump : outputs) {
      if (!pump.awaitEnd(deadline)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() {
    closeStdin();
    for (Pump pump : inputs) {
      pump.stop();
    }
    for (Pump pump : outputs) {
      if (waitedFor) {
        pump.stop();
      } else {
        pump.finish();
      }
    }
    for (Waiting w : waiting) {
      w.from().close();
      w.to().close();
    }
    for (Fd fd : handedOver) {
      fd.close();
    }
    for (Fd fd : keepers) {
      fd.close();
    }
    logger.ifPresent(Logger::close);
  }
}
