package io.loomshim.stdio;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Opens fifos (fifo(7)), and files in their place, without ever blocking a carrier. */
final class Fifos {
  /** How long an output fifo may lack a reader before the call that needs it fails. */
  static final Duration READER_WAIT_MAX = Duration.ofSeconds(30);

  private static final Duration PAUSE_MIN = Duration.ofMillis(1);
  private static final Duration PAUSE_MAX = Duration.ofMillis(20);
  private static final int S_IFMT = 0170000;
  private static final int S_IFIFO = 0010000;

  /**
   * What a stream of a client was opened as.
   *
   * @param end what the process reads or writes
   * @param keeper the other end of a fifo; nothing for any other file
   */
  record Ends(Fd end, Optional<Fd> keeper) implements AutoCloseable {
    @Override
    public void close() {
      end.close();
      keeper.ifPresent(Fd::close);
    }
  }

  /** Opens a file that is no fifo. */
  interface Opener {
    Fd open(String path) throws IOException;
  }

  private Fifos() {}

  /** Whether {@code path} is a fifo; symbolic links are followed. */
  static boolean isFifo(String path) throws IOException, InterruptedException {
    return fifo(Aside.run("stat " + path, () -> mode(path)));
  }

  /** Whether there is anything at {@code path}. */
  static boolean exists(String path) throws IOException, InterruptedException {
    return Aside.run("stat " + path, () -> Files.exists(Path.of(path)));
  }

  /** The reading end, non-blocking; does not wait for a writer. */
  static Fd openReader(String path) throws IOException, InterruptedException {
    return open(path, Fd.O_RDONLY | Fd.O_NONBLOCK);
  }

  private static int mode(String path) throws IOException {
    return (Integer) Files.getAttribute(Path.of(path), "unix:mode");
  }

  private static boolean fifo(int mode) {
    return (mode & S_IFMT) == S_IFIFO;
  }

  private static Fd open(String path, int flags) throws IOException, InterruptedException {
    return Aside.run("open " + path, () -> Fd.open(path, flags, 0), Fd::close);
  }

  /** An input: a fifo with a writer of our own, or any other file. */
  static Ends input(String path) throws IOException, InterruptedException {
    var input = new Input(path);
    return Aside.run("open " + path, input, input);
  }

  private record Input(String path) implements Aside.Step<Ends>, Aside.Undoing<Ends> {
    @Override
    public Ends run() throws IOException {
      Fd reader = Fd.open(path, Fd.O_RDONLY | Fd.O_NONBLOCK, 0);
      try {
        return fifo(mode(path))
            ? new Ends(reader, Optional.of(Fd.open(path, Fd.O_WRONLY | Fd.O_NONBLOCK, 0)))
            : new Ends(reader.foreign(path), Optional.empty());
      } catch (IOException | RuntimeException | Error e) {
        reader.close();
        throw e;
      }
    }

    @Override
    public void undo(Ends made) {
      made.close();
    }
  }

  /**
   * An output: a fifo, as soon as it has a reader, with a reader of our own, or what {@code opener} opens.
   *
   * @throws StatusException as {@link #openWriter(String)}
   */
  static Ends output(String path, Opener opener) throws IOException, InterruptedException {
    var output = new Output(path, opener);
    Optional<Ends> ends = Aside.run("open " + path, output, output);
    if (ends.isPresent()) {
      return ends.get();
    }
    Fd writer = openWriter(path);
    try {
      return new Ends(writer, Optional.of(openReader(path)));
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      writer.close();
      throw e;
    }
  }

  /** The first try alone, for steps of {@link Aside}: nothing for a fifo without a reader. */
  static Optional<Ends> outputNow(String path, Opener opener) throws IOException {
    return new Output(path, opener).run();
  }

  /** The first try; nothing for a fifo without a reader. */
  private record Output(String path, Opener opener) implements Aside.Step<Optional<Ends>>,
      Aside.Undoing<Optional<Ends>> {
    @Override
    public Optional<Ends> run() throws IOException {
      if (!fifo(mode(path))) {
        return Optional.of(new Ends(opener.open(path).foreign(path), Optional.empty()));
      }
      Fd writer;
      try {
        writer = Fd.open(path, Fd.O_WRONLY | Fd.O_NONBLOCK, 0);
      } catch (ErrnoException e) {
        if (e.errno() == Errno.ENXIO) {
          return Optional.empty();
        }
        throw e;
      }
      try {
        return Optional.of(new Ends(writer, Optional.of(Fd.open(path, Fd.O_RDONLY | Fd.O_NONBLOCK, 0))));
      } catch (IOException | RuntimeException | Error e) {
        writer.close();
        throw e;
      }
    }

    @Override
    public void undo(Optional<Ends> made) {
      if (made.isPresent()) {
        made.get().close();
      }
    }
  }

  /**
   * The writing end, non-blocking, as soon as there is a reader. A client opens its end before it asks
   * for the process, so the first try is the rule.
   *
   * @throws StatusException DEADLINE_EXCEEDED when no reader came within {@link #READER_WAIT_MAX}
   */
  static Fd openWriter(String path) throws IOException, InterruptedException {
    return openWriter(path, READER_WAIT_MAX);
  }

  /** The same with another limit. */
  static Fd openWriter(String path, Duration limit) throws IOException, InterruptedException {
    Deadline deadline = Deadline.in(limit);
    Duration pause = PAUSE_MIN;
    while (true) {
      try {
        return open(path, Fd.O_WRONLY | Fd.O_NONBLOCK);
      } catch (ErrnoException e) {
        if (e.errno() != Errno.ENXIO) {
          throw e;
        }
      }
      if (deadline.passed()) {
        throw new StatusException(
            Code.DEADLINE_EXCEEDED,
            "containerd-shim: opening w/o fifo \"" + path + "\" failed: context deadline exceeded");
      }
      Thread.sleep(pause);
      pause = pause.compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
    }
  }
}
