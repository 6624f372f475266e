package io.loomshim.stdio;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pty;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The streams of one process with a terminal: the client's stdin goes to the master of the pseudo terminal, and what
 * comes from there goes to the client's stdout; there is no stderr. A virtual thread for each direction,
 * {@code NAME/stdin} and {@code NAME/stdout}.
 *
 * <p>A reader of our own keeps an output fifo open until {@link #close}: a client may leave and another may come, and
 * what has not been read yet waits. A writer of our own keeps stdin from ending until {@link #closeStdin}. When stdin
 * does end, the terminal is hung up as if its window had been closed: its processes get SIGHUP.
 *
 * <p>Opened by the thread of the call that creates the process, before the process; {@link #start} once it has a
 * terminal. The other methods may be called from any thread.
 */
public final class Console implements Streams {
  /** runc hands a terminal over before it ends well, so what is not there then never comes. */
  private static final Duration HAND_OVER_WAIT_MAX = Duration.ZERO;

  private static final String MASTER = "master";
  private static final String OUTPUT = "output";
  private static final String KEEPER = "keeper";
  private static final String STDIN = "stdin";
  private static final String STDIN_KEEPER = "stdin-keeper";

  /** What there is from {@link #start} on. */
  private record Running(Pty pty, ConsoleOutput output, Optional<ConsoleInput> input) {}

  private final String name;
  private final Fd output;
  private final List<Fd> keepers = new ArrayList<>();
  private Optional<Fd> stdin = Optional.empty();
  private Optional<Fd> stdinKeeper = Optional.empty();
  private Optional<Logger> logger = Optional.empty();
  private volatile Optional<Running> running = Optional.empty();
  private volatile Runnable onChange = Held::none;

  private Console(String name, Fd output) {
    this.name = name;
    this.output = output;
  }

  /**
   * Opens the client's ends; waits for a reader of an output fifo.
   *
   * @param name what the threads are called after
   * @param paths of which stdout must not be empty, and stderr does not count
   * @param context whose output a logger takes
   * @throws StatusException DEADLINE_EXCEEDED without a reader, INVALID_ARGUMENT for an unknown scheme
   * @throws StdinException when it is stdin that cannot be opened
   */
  public static Console open(String name, StdioPaths paths, LogContext context)
      throws IOException, InterruptedException {
    return switch (Target.parse(paths.stdout())) {
      case Target.None none -> throw missing("");
      case Target.Path(String path) when !Fifos.exists(path) -> throw missing(path);
      case Target.Path(String path) when !Fifos.isFifo(path) -> open(name, paths.stdin(), append(path));
      case Target.Path(String path) -> {
        Console console = open(name, paths.stdin(), Fifos.openWriter(path));
        try {
          console.keepers.add(Fifos.openReader(path));
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
          console.close();
          throw e;
        }
        yield console;
      }
      case Target.NewFile(String path) -> open(name, paths.stdin(), NewFiles.open(path));
      case Target.Logger target -> logged(Logger.start(name, target, context), name, paths.stdin());
    };
  }

  /** Goes on with what another daemon's held. */
  static Console resume(String name, StdioPaths paths, Roles roles) throws IOException {
    Optional<Fd> master = roles.take(MASTER);
    Optional<Fd> output = roles.take(OUTPUT, paths.stdout());
    var console = new Console(name, output.orElseGet(() -> new Fd(-1)));
    console.keepers.addAll(roles.takeAll(KEEPER));
    console.logger = Logger.resume(name, roles);
    console.stdinKeeper = roles.take(STDIN_KEEPER);
    console.stdin = roles.take(STDIN, paths.stdin());
    console.stdin.ifPresent(console.keepers::add);
    if (master.isPresent() && output.isPresent()) {
      console.start(Pty.of(master.get()));
    } else {
      master.ifPresent(Fd::close); // the output had ended, and the terminal had been hung up or was about to be
    }
    return console;
  }

  @Override
  public List<Held> held() {
    var held = new ArrayList<Held>();
    Optional<Running> now = running;
    if (now.isPresent() && !now.get().pty().master().closed() && !output.closed()) {
      held.add(new Held(MASTER, now.get().pty().master()));
      held.add(new Held(OUTPUT, output));
    }
    for (Fd keeper : keepers) {
      held.add(new Held(stdin.isPresent() && stdin.get() == keeper ? STDIN : KEEPER, keeper));
    }
    if (stdinKeeper.isPresent()) {
      held.add(new Held(STDIN_KEEPER, stdinKeeper.get()));
    }
    logger.ifPresent(program -> held.addAll(program.held()));
    return held;
  }

  @Override
  public void onChange(Runnable action) {
    onChange = action;
    running.ifPresent(now -> now.output().onEnd(action));
    logger.ifPresent(program -> program.onEnd(action));
  }

  /** A terminal has one output; the logger sees its stderr end at once. */
  private static Console logged(Logger logger, String name, String stdin) throws IOException, InterruptedException {
    try {
      Console console = open(name, stdin, logger.stdout().duplicate());
      console.logger = Optional.of(logger);
      logger.started();
      return console;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      logger.close();
      throw e;
    }
  }

  /** The same with {@code output}, which this owns, also when it fails; {@code stdin} is a path, or empty. */
  public static Console open(String name, String stdin, Fd output) throws IOException, InterruptedException {
    var console = new Console(name, output);
    try {
      output.nonBlocking(true);
      console.input(stdin);
      return console;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      console.close();
      throw e;
    }
  }

  private static Fd append(String path) throws IOException, InterruptedException {
    return Aside.run("open " + path, () -> Fd.open(path, Fd.O_WRONLY | Fd.O_APPEND, 0).foreign(path), Fd::close);
  }

  private void input(String path) throws IOException, InterruptedException {
    if (path.isEmpty()) {
      return;
    }
    try {
      if (!Fifos.exists(path)) {
        throw missing(path);
      }
      Fifos.Ends ends = Fifos.input(path);
      stdin = Optional.of(ends.end());
      keepers.add(ends.end());
      stdinKeeper = ends.keeper();
    } catch (IOException e) {
      throw new StdinException(path, e);
    }
  }

  private static IOException missing(String path) {
    return new IOException("stat " + path + ": no such file or directory");
  }

  @Override
  public Attachment attach() throws IOException {
    return new HandOver(this, ConsoleSocket.open());
  }

  /** The process has its terminal from the command, which hands the master over. */
  private record HandOver(Console console, ConsoleSocket socket) implements Attachment {
    @Override
    public List<Fd> childFds() {
      return List.of();
    }

    @Override
    public Optional<Path> consoleSocket() {
      return Optional.of(socket.path());
    }

    @Override
    public void complete() throws InterruptedException {
      Pty pty = receive();
      try {
        console.start(pty);
      } catch (IOException e) {
        throw new StatusException(Code.UNKNOWN, "failed to start console copy: " + e.getMessage(), e);
      }
    }

    private Pty receive() throws InterruptedException {
      try {
        return socket.receive(Deadline.in(HAND_OVER_WAIT_MAX));
      } catch (IOException e) {
        throw new StatusException(Code.UNKNOWN, "failed to retrieve console master: " + e.getMessage(), e);
      }
    }

    @Override
    public void close() {
      socket.close();
    }
  }

  /** Begins to copy, once; takes ownership of {@code pty}, also when it fails. */
  public void start(Pty pty) throws ErrnoException {
    var copyOut = new ConsoleOutput(name + "/stdout", pty, output);
    Optional<ConsoleInput> copyIn = Optional.empty();
    try {
      if (stdin.isPresent()) {
        copyIn = Optional.of(new ConsoleInput(name + "/stdin", stdin.get(), pty.duplicate(), copyOut));
      }
    } catch (ErrnoException | RuntimeException | Error e) {
      pty.close();
      throw e;
    }
    running = Optional.of(new Running(pty, copyOut, copyIn));
    copyOut.start();
    copyIn.ifPresent(ConsoleInput::start);
  }

  @Override
  public void closeStdin() {
    if (stdinKeeper.isPresent() && !stdinKeeper.get().closed()) {
      stdinKeeper.get().close();
      onChange.run();
    }
  }

  @Override
  public void resize(int width, int height) throws ErrnoException {
    Optional<Running> now = running;
    if (now.isPresent()) {
      now.get().pty().resize(width, height);
    }
  }

  @Override
  public void shutdown() {
    running.ifPresent(
        now -> {
          now.input().ifPresent(ConsoleInput::stop);
          now.output().end();
        });
  }

  @Override
  public void awaitForwarded(Deadline deadline) throws InterruptedException {
    Optional<Running> now = running;
    if (now.isPresent()) {
      now.get().output().awaitEnd(deadline); // as it was told to in shutdown
    }
  }

  @Override
  public boolean awaitDrained(Deadline deadline) throws InterruptedException {
    Optional<Running> now = running;
    return now.isEmpty() || now.get().output().awaitEnd(deadline);
  }

  @Override
  public void close() {
    stdinKeeper.ifPresent(Fd::close); // told below, with the rest
    boolean stopped = true;
    Optional<Running> now = running;
    if (now.isPresent()) {
      Optional<ConsoleInput> input = now.get().input();
      input.ifPresent(ConsoleInput::stop);
      stopped = now.get().output().stop();
      if (stopped) {
        now.get().pty().close();
      }
      stopped &= input.isEmpty() || input.get().awaitStopped();
    }
    if (stopped) { // else a thread is in a call on them: rather lose descriptors than hit another file's
      output.close();
      for (Fd fd : keepers) {
        fd.close();
      }
    }
    onChange.run();
    logger.ifPresent(Logger::close);
  }
}
