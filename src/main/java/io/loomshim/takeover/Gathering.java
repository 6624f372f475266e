package io.loomshim.takeover;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.MemoryFile;
import io.loomshim.linux.Pipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A frame that is longer than a page, on its way into a file in memory that outlives the daemon. The kernel moves it,
 * through a pipe (splice(2)), so at each moment a byte is in the socket, the pipe or the file. Used by the thread that
 * reads the connection. How much is gathered is a registry of the process, as its memory is.
 */
final class Gathering implements AutoCloseable {
  /** Of all that are gathered at once; what comes beyond that is read as it comes. */
  private static final long BYTES_MAX = 8 << 20;

  /** The same for their number, as each takes three descriptors and three more on the shelf. */
  private static final int NUMBER_MAX = 256;

  /** At most this many bytes at once: what a pipe holds. */
  private static final int PIECE_BYTES = 64 << 10;

  private static final AtomicLong GATHERED = new AtomicLong();
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final long length;
  private final Fd memory; // whose position is the number of its bytes
  private final Pipe pipe;
  private long bytes;
  private boolean closed;

  private Gathering(long length, Fd memory, Pipe pipe) {
    this.length = length;
    this.memory = memory;
    this.pipe = pipe;
    GATHERED.addAndGet(length);
    NUMBER.incrementAndGet();
  }

  /**
   * For a frame of {@code length} bytes that begins with {@code first}; nothing where there is no room for it, or there
   * are no descriptors.
   */
  static Optional<Gathering> of(long length, byte[] first) {
    if (GATHERED.get() + length > BYTES_MAX || NUMBER.get() >= NUMBER_MAX) {
      return Optional.empty();
    }
    try {
      Fd memory = MemoryFile.unlimited();
      try {
        for (int at = 0; at < first.length; ) {
          at += memory.tryWrite(first, at, first.length - at);
        }
        var gathering = new Gathering(length, memory, Pipe.open());
        gathering.bytes = first.length;
        return Optional.of(gathering);
      } catch (ErrnoException e) {
        memory.close();
        throw e;
      }
    } catch (ErrnoException e) {
      return Optional.empty();
    }
  }

  /** Goes on with the {@link #fds} of an earlier daemon. */
  static Gathering resume(long length, List<Fd> fds) throws IOException {
    var gathering = new Gathering(length, fds.get(0), new Pipe(fds.get(1), fds.get(2)));
    gathering.bytes = Files.size(gathering.path());
    gathering.empty();
    return gathering;
  }

  private Path path() {
    return Path.of("/proc/self/fd", Integer.toString(memory.number()));
  }

  long length() {
    return length;
  }

  /** What another daemon needs to go on; they stay this object's. */
  List<Fd> fds() {
    return List.of(memory, pipe.reader(), pipe.writer());
  }

  boolean complete() {
    return bytes == length;
  }

  /** Takes what there is in {@code socket}, without waiting: 0 at the end, −1 when there is nothing now. */
  int fill(Fd socket) throws ErrnoException {
    long count;
    do {
      count = socket.splice(pipe.writer(), Math.min(PIECE_BYTES, length - bytes));
    } while (count == -Errno.EINTR);
    if (count == -Errno.EAGAIN) {
      return -1;
    }
    ErrnoException.check("splice", (int) count);
    empty();
    return (int) count;
  }

  private void empty() throws ErrnoException {
    long count;
    do {
      count = pipe.reader().splice(memory, PIECE_BYTES);
      bytes += Math.max(0, count);
    } while (count > 0 || count == -Errno.EINTR);
    if (count != -Errno.EAGAIN) {
      throw new ErrnoException("splice", (int) -count);
    }
  }

  /** The frame, once it is complete. */
  byte[] frame() throws IOException {
    return Files.readAllBytes(path());
  }

  /** Gives it up; can be repeated. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      GATHERED.addAndGet(-length);
      NUMBER.decrementAndGet();
      memory.close();
      pipe.close();
    }
  }
}
