package io.loomshim.stdio;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The three streams of one process without a terminal, from the opening of the client's fifos until
 * the process is deleted.
 *
 * <p>An output fifo is opened for writing and handed to the process. A reader of our own stays open
 * until {@link #close}, so that a client that leaves causes no SIGPIPE and what it has not read yet
 * waits for the next one. An input fifo is opened for reading and handed over; a writer of our own
 * keeps it from ending until {@link #closeStdin}.
 *
 * <p>A process that must own its streams gets pipes instead, and a {@link Pump} each.
 *
 * <p>Opened and started by the thread of the call that creates the process; the other methods may be
 * called from any thread, one at a time.
 */
public final class ProcessIo implements Streams {
  /** Owner of pipes that belong to nobody in particular. */
  private static final int ROOT = 0;

  /**
   * Who must own the process's streams.
   *
   * @param handOver whether the client's fifo itself may be given to the process
   * @param reopened whether what is given will be opened anew, as CRIU does on a restore: a file would be written from
   *     its beginning then
   */
  public record Owner(int uid, int gid, boolean handOver, boolean reopened) {
    /** Root, with hand-over where the target is a fifo of ours. */
    public static Owner of(int uid, int gid, boolean checkedAgain, boolean reopened) {
      return new Owner(uid, gid, uid == ROOT && gid == ROOT && !checkedAgain, reopened);
    }
  }

  /** A stream that will be moved once the process has started. */
  private record Waiting(List<Pump> kind, String stream, Fd from, Fd to) {}

  /** A file that is descriptor {@code number} of the process, open here until {@link #close}. */
  private record Given(int number, Fd file) {}

  private final String name;
  private final Owner owner;
  private final List<Fd> childFds = new ArrayList<>();
  private final List<Fd> handedOver = new ArrayList<>();
  private final List<Fd> keepers = new ArrayList<>();
  private final List<Given> given = new ArrayList<>();
  private final List<StreamFile> pipes = new ArrayList<>();
  private final List<Waiting> waiting = new ArrayList<>();
  private final List<Pump> outputs = new ArrayList<>();
  private final List<Pump> inputs = new ArrayList<>();
  private Optional<Fd> stdinKeeper = Optional.empty();
  private Optional<Logger> logger = Optional.empty();

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
      io.output("stderr", stderr);
      return io;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      io.close();
      throw e;
    }
  }

  private void input(String path) throws IOException {
    if (path.isEmpty()) {
      childFds.add(nothing());
      return;
    }
    Fd reader = reader(path);
    keepers.add(reader);
    if (!Fifos.isFifo(path)) {
      giveAlso(reader, reader);
      return;
    }
    stdinKeeper = Optional.of(Fd.open(path, Fd.O_WRONLY | Fd.O_NONBLOCK, 0));
    if (owner.handOver()) {
      reader.nonBlocking(false);
      giveAlso(reader, reader);
      return;
    }
    Pipe pipe = Pipe.open();
    keepers.add(pipe.reader());
    pipes.add(StreamFile.pipe(childFds.size(), pipe.reader()));
    childFds.add(pipe.reader());
    keepers.remove(reader);
    waiting.add(new Waiting(inputs, "stdin", reader, pipe.writer()));
    pipe.reader().owner(owner.uid(), owner.gid());
    pipe.writer().nonBlocking(true);
  }

  private static Fd reader(String path) throws IOException {
    try {
      return Fifos.openReader(path);
    } catch (ErrnoException e) {
      throw new IOException("containerd-shim: opening " + path + " failed: " + e.getMessage(), e);
    }
  }

  private void output(String stream, Target target) throws IOException, InterruptedException {
    // not a switch over patterns, whose first use takes as long as the rest of a Create
    if (target instanceof Target.None) {
      childFds.add(nothing());
    } else if (target instanceof Target.Path path) {
      if (isFifo(path.path())) {
        fifoOutput(stream, path.path());
      } else {
        file(stream, append(path.path()));
      }
    } else if (target instanceof Target.NewFile made) {
      file(stream, NewFiles.open(made.path()));
    } else {
      throw new StatusException(Code.INVALID_ARGUMENT, "a logger takes " + stream + " only together with stdout");
    }
  }

  /** A logger takes both outputs, and its process has no input. */
  private void logger(Target.Logger target, LogContext context) throws IOException, InterruptedException {
    Logger started = Logger.start(name, target, context);
    logger = Optional.of(started);
    pipes.add(StreamFile.pipe(1, started.stdout()));
    pipes.add(StreamFile.pipe(2, started.stderr()));
    childFds.addAll(List.of(nothing(), started.stdout(), started.stderr()));
  }

  private static boolean isFifo(String path) throws IOException {
    try {
      return Fifos.isFifo(path);
    } catch (IOException e) {
      String why = e instanceof java.nio.file.NoSuchFileException ? "no such file or directory" : e.getMessage();
      throw new IOException("containerd-shim: opening file \"" + path + "\" failed: open " + path + ": " + why, e);
    }
  }

  private static Fd append(String path) throws IOException {
    try {
      return Fd.open(path, Fd.O_WRONLY | Fd.O_APPEND, 0);
    } catch (ErrnoException e) {
      throw new IOException("containerd-shim: opening file \"" + path + "\" failed: " + e.getMessage(), e);
    }
  }

  private void fifoOutput(String stream, String path) throws IOException, InterruptedException {
    Fd writer = Fifos.openWriter(path);
    if (owner.handOver()) {
      handedOver.add(writer);
      Fd reader = Fifos.openReader(path);
      keepers.add(reader);
      giveAlso(writer, reader);
      writer.nonBlocking(false);
      return;
    }
    pumped(stream, writer);
    keepers.add(Fifos.openReader(path));
  }

  /** Gives a pipe whose bytes will be moved to {@code target}. */
  private void pumped(String stream, Fd target) throws IOException {
    Pipe pipe;
    try {
      pipe = Pipe.open();
    } catch (ErrnoException e) {
      target.close();
      throw e;
    }
    waiting.add(new Waiting(outputs, stream, pipe.reader(), target));
    pipes.add(StreamFile.pipe(childFds.size(), pipe.reader()));
    give(pipe.writer());
    pipe.writer().owner(owner.uid(), owner.gid());
    pipe.reader().nonBlocking(true);
  }

  private Fd nothing() throws ErrnoException {
    Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0);
    handedOver.add(nothing);
    return nothing;
  }

  private void file(String stream, Fd file) throws IOException {
    if (owner.reopened()) {
      pumped(stream, file);
      return;
    }
    keepers.add(file);
    giveAlso(file, file);
  }

  /** Gives {@code fd}, which is the same file as {@code kept}. */
  private void giveAlso(Fd fd, Fd kept) {
    given.add(new Given(childFds.size(), kept));
    childFds.add(fd);
  }

  private void give(Fd fd) {
    handedOver.add(fd);
    childFds.add(fd);
  }

  /** What becomes descriptors 0, 1 and 2 of the process. */
  public List<Fd> childFds() {
    return List.copyOf(childFds);
  }

  /** The process has its copies of the descriptors: gives up ours of the output and starts the pumps. */
  public void started() {
    for (Fd fd : handedOver) {
      fd.close();
    }
    handedOver.clear();
    logger.ifPresent(Logger::started);
    for (Waiting w : waiting) {
      w.kind().add(new Pump(name + "/" + w.stream(), w.from(), w.to()));
    }
    waiting.clear();
  }

  @Override
  public List<StreamFile> files() throws IOException {
    var files = new ArrayList<>(pipes);
    for (Given g : given) {
      files.add(StreamFile.file(g.number(), g.file()));
    }
    return files;
  }

  @Override
  public void closeStdin() {
    stdinKeeper.ifPresent(Fd::close);
  }

  @Override
  public boolean awaitDrained(Deadline deadline) throws InterruptedException {
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
      pump.stop();
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
