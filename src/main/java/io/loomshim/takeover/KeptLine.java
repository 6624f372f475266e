package io.loomshim.takeover;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.linux.StreamSocket;
import io.loomshim.shelf.Slot;
import io.loomshim.ttrpc.Line;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connection that outlives the daemon. A request is looked at while it is in the socket, and taken out only once it
 * has been recorded ({@link #begun}) or answered: a daemon that is killed loses none, and leaves the next one whole
 * frames. What is too long for that is read as it comes, and while it is, the slot says so: then the next daemon closes
 * this connection. The same goes for a reply of which the socket has taken a part.
 *
 * <p>One thread reads and one writes at a time. {@code lock} guards who uses the descriptor, which is closed by the
 * last of them.
 */
final class KeptLine implements Line {
  private static final String TORN = "torn";
  private static final String LONG = "long";

  private final long number;
  private final Fd socket;
  private final Fd writing; // the poller takes one waiter a descriptor
  private final Slot slot;
  private final CallsRecord record;
  private final List<Pending> pending;
  private final Set<Long> inFlight = ConcurrentHashMap.newKeySet();
  private final ReentrantLock lock = new ReentrantLock();
  private int users;
  private boolean closed;
  private int torn; // how many of reader and writer are within a frame
  private Optional<Gathering> gathering; // what has been read of a long frame

  private final WholeFrames frames; // of the thread that reads

  /**
   * Takes ownership of {@code socket}, also when it fails.
   *
   * @param pending what an earlier daemon has begun
   * @param gathering what it has read of a long frame
   */
  KeptLine(long number, Fd socket, Slot slot, CallsRecord record, List<Pending> pending,
      Optional<Gathering> gathering) throws ErrnoException {
    this.number = number;
    this.socket = socket;
    this.slot = slot;
    this.record = record;
    this.pending = pending;
    this.gathering = gathering;
    try {
      this.writing = socket.duplicate();
    } catch (ErrnoException | RuntimeException | Error e) {
      socket.close();
      throw e;
    }
    for (Pending call : pending) {
      inFlight.add(call.id());
    }
    this.frames = new WholeFrames(socket, new Within(), new HashSet<>(inFlight), gathering);
  }

  static byte[] note(long number) {
    return Labels.of(Labels.LINE, Long.toString(number));
  }

  /** Whether a frame was being read or written in part when the daemon was killed. */
  static boolean torn(List<String> words) {
    return words.contains(TORN);
  }

  /** What an earlier daemon has left of a long frame, whose slot has these words and descriptors. */
  static Optional<Gathering> gathering(List<String> words, List<Fd> fds) throws IOException {
    int at = words.indexOf(LONG);
    return at < 0 ? Optional.empty()
        : Optional.of(Gathering.resume(Long.parseLong(words.get(at + 1)), fds.subList(1, fds.size())));
  }

  @Override
  public Optional<String> stranger() throws IOException {
    return StreamSocket.stranger(socket);
  }

  @Override
  public long number() {
    return number;
  }

  @Override
  public boolean asks() {
    return socket.ready();
  }

  @Override
  public List<Pending> pending() {
    return pending;
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    enter();
    try {
      return frames.read(into);
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      leave();
    }
  }

  @Override
  public boolean keeps() {
    return frames.kept();
  }

  @Override
  public void begun(long id) {
    inFlight.add(id);
    record.begun(number, id, frames.data());
    try {
      enter();
      try {
        frames.takeOut();
      } finally {
        leave();
      }
    } catch (IOException e) {
      // the next read says so
    }
  }

  @Override
  public void replying(long id, byte[] reply) {
    record.replying(number, id, reply);
    if (!isOpen()) {
      record.answered(number, id); // its end may have been noted before
    }
  }

  @Override
  public void answered(long id) {
    if (inFlight.remove(id)) {
      record.answered(number, id);
    }
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    enter();
    try {
      int length = from.remaining();
      send(from);
      return length;
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      leave();
    }
  }

  private void send(ByteBuffer from) throws IOException, InterruptedException {
    boolean within = false;
    while (from.hasRemaining()) {
      int count = StreamSocket.send(writing, from.array(), from.position(), from.remaining());
      if (count < 0) {
        Poller.shared().awaitWritable(writing);
        continue;
      }
      from.position(from.position() + count);
      if (from.hasRemaining() && !within) {
        within = true;
        keep(1);
      }
    }
    if (within) {
      keep(-1);
    }
  }

  private final class Within implements WholeFrames.Within {
    @Override
    public void tear() {
      keep(1);
    }

    @Override
    public void mend() {
      keep(-1);
    }

    @Override
    public void gather(Optional<Gathering> now) {
      lock.lock();
      try {
        gathering = now;
        keep(0);
      } finally {
        lock.unlock();
      }
    }
  }

  private void keep(int more) {
    lock.lock();
    try {
      torn += more;
      var words = new ArrayList<String>(List.of(Labels.LINE, Long.toString(number)));
      var fds = new ArrayList<Fd>(List.of(socket));
      if (torn > 0) {
        words.add(TORN);
      }
      if (gathering.isPresent()) {
        words.addAll(List.of(LONG, Long.toString(gathering.get().length())));
        fds.addAll(gathering.get().fds());
      }
      slot.keep(Labels.of(words), fds);
    } finally {
      lock.unlock();
    }
  }

  private InterruptedIOException interrupted() {
    close();
    return new InterruptedIOException("interrupted");
  }

  private void enter() throws ClosedChannelException {
    lock.lock();
    try {
      if (closed) {
        throw new ClosedChannelException();
      }
      users++;
    } finally {
      lock.unlock();
    }
  }

  private void leave() {
    lock.lock();
    try {
      users--;
      closeUnusedLocked();
    } finally {
      lock.unlock();
    }
  }

  private void closeUnusedLocked() {
    assert lock.isHeldByCurrentThread();
    if (closed && users == 0) {
      socket.close();
      writing.close();
      frames.close();
    }
  }

  @Override
  public boolean isOpen() {
    lock.lock();
    try {
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      StreamSocket.shutdown(socket); // the peer sees the end, whoever else has it
      closeUnusedLocked();
    } finally {
      lock.unlock();
    }
    slot.release();
    for (long id : inFlight) {
      answered(id);
    }
  }
}
