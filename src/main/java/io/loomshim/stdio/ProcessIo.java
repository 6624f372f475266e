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
  /** Who must own the process's streams. */
  public record Owner(int uid, int gid) {}

  /** A stream that will be moved once the process has started. */
  private record Waiting(String stream, Fd from, Fd to, Pumps.Start start) {}

  private static final String KEEPER = "keeper";
  private static final String STDIN_KEEPER = "stdin-keeper";

  private final String name;
  private final Owner owner;
  private final List<Fd> childFds = new ArrayList<>();
  private final List<Fd> handedOver = new ArrayList<>();
  private final List<Fd> keepers = new ArrayList<>();
  private final List<StreamFile> pipes = new ArrayList<>();
  private final List<Waiting> waiting = new ArrayList<>();
  private final Pumps pumps;
  private Optional<Fd> stdinKeeper = Optional.empty();
  private Optional<Logger> logger = Optional.empty();
  private volatile Runnable onChange = Held::none;

  ProcessIo(String name, Owner owner) {
    this.name = name;
    this.pumps = new Pumps(name);
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
    Target stdout = Target.parse(paths.stdout());
    if (stdout instanceof Target.Logger target) {
      return logged(name, owner, target, context);
    }
    // a target that is no fifo takes both streams, whatever was said about stderr
    Target stderr = stdout instanceof Target.NewFile ? stdout : Target.parse(paths.stderr());
    ProcessIo io = new Opening(name, owner, paths.stdin(), stdout, stderr).open();
    try {
      io.outputs(stdout, stderr, true); // the rest begins with a fifo that has no reader yet
      return io;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      io.close();
      throw e;
    }
  }

  /** Opens the outputs that are not open yet; ends before one without a reader unless {@code waits}. */
  void outputs(Target stdout, Target stderr, boolean waits) throws IOException, InterruptedException {
    if (childFds.size() == 1 && !output("stdout", stdout, waits)) {
      return;
    }
    if (childFds.size() == 2 && stderr.same(stdout)) {
      same();
    } else if (childFds.size() == 2) {
      output("stderr", stderr, waits);
    }
  }

  private static ProcessIo logged(String name, Owner owner, Target.Logger target, LogContext context)
      throws IOException, InterruptedException {
    var io = new ProcessIo(name, owner);
    try {
      io.logger(target, context);
      return io;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      io.close();
      throw e;
    }
  }

  /** Goes on with what another daemon's held. */
  static ProcessIo resume(String name, StdioPaths paths, Roles roles) throws IOException {
    var io = new ProcessIo(name, new Owner(0, 0));
    Target stdout = Target.parse(paths.stdout());
    io.pipes.addAll(roles.pipes(stdout instanceof Target.NewFile || Target.parse(paths.stderr()).same(stdout)));
    io.logger = Logger.resume(name, roles);
    io.keepers.addAll(roles.takeAll(KEEPER));
    io.stdinKeeper = roles.take(STDIN_KEEPER);
    io.pumps.resume(roles, paths);
    return io;
  }

  @Override
  public List<Held> held() {
    var held = new ArrayList<Held>();
    for (Fd keeper : keepers) {
      held.add(new Held(KEEPER, keeper));
    }
    if (stdinKeeper.isPresent()) {
      held.add(new Held(STDIN_KEEPER, stdinKeeper.get()));
    }
    held.addAll(pumps.held());
    logger.ifPresent(program -> held.addAll(program.held()));
    return held;
  }

  @Override
  public void onChange(Runnable action) {
    onChange = action;
    pumps.onEnd(action);
    logger.ifPresent(program -> program.onEnd(action));
  }

  /** Opens stdin. */
  void input(String path) throws IOException, InterruptedException {
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
    Pumps.Start start = stdinKeeper.isPresent() ? Pump::betweenPipes : FilePump::fromFile;
    waiting.add(new Waiting(Pumps.STDIN, reader, pipe.writer(), start));
    pipe.writer().nonBlocking(true);
  }

  private static Fifos.Ends open(String path) throws IOException, InterruptedException {
    try {
      return Fifos.input(path);
    } catch (ErrnoException e) {
      throw new IOException("containerd-shim: opening " + path + " failed: " + e.getMessage(), e);
    }
  }

  /** False for a fifo without a reader, unless this {@code waits} for one. */
  private boolean output(String stream, Target target, boolean waits) throws IOException, InterruptedException {
    // not a switch over patterns, whose first use takes as long as the rest of a Create
    if (target instanceof Target.None) {
      childFds.add(nothing());
    } else if (target instanceof Target.Path path) {
      Optional<Fifos.Ends> opened = waits ? Optional.of(OutputPath.open(path)) : OutputPath.openNow(path);
      if (opened.isEmpty()) {
        return false;
      }
      Fifos.Ends ends = opened.get();
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
    return true;
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

  /** Gives a pipe whose bytes will be moved to {@code target}. */
  private void pumped(String stream, Fd target, Pumps.Start start) throws IOException {
    Pipe pipe;
    try {
      pipe = Pipe.open();
    } catch (ErrnoException e) {
      target.close();
      throw e;
    }
    waiting.add(new Waiting(stream, pipe.reader(), target, start));
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

  @Override
  public Attachment attach() {
    return new Inheritance(this);
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
      pumps.add(next.stream(), next.start(), next.from(), next.to());
    }
  }

  @Override
  public List<StreamFile> files() {
    return List.copyOf(pipes);
  }

  @Override
  public void closeStdin() {
    if (stdinKeeper.isPresent() && !stdinKeeper.get().closed()) {
      stdinKeeper.get().close();
      onChange.run();
    }
  }

  @Override
  public void awaitForwarded(Deadline deadline) throws InterruptedException {
    pumps.awaitForwarded(deadline);
  }

  @Override
  public boolean awaitDrained(Deadline deadline) throws InterruptedException {
    return pumps.awaitDrained(deadline);
  }

  @Override
  public void close() {
    stdinKeeper.ifPresent(Fd::close); // told below, with the rest
    pumps.stop();
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
    onChange.run();
    logger.ifPresent(Logger::close);
  }
}
