package io.loomshim.takeover;

import io.loomshim.linux.Fd;
import io.loomshim.linux.PolledSocket;
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
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connection that outlives the daemon. What is read of it goes from the socket into memory that outlives the daemon
 * too ({@link WholeFrames}), and counts there until its call has been answered or, where it waits without a limit, has
 * been recorded: a daemon that is killed loses none, and leaves the next one whole frames. What is too long for that is
 * read as it comes, and while it is, the slot says so: then the next daemon closes this connection. The same goes for a
 * reply of which the socket has taken a part.
 *
 * <p>One thread reads and one writes at a time. {@code lock} guards whether one reads, and what is read while nobody
 * does; the last one that uses the descriptor closes it.
 */
final class KeptLine implements Line {
  private static final String TORN = "torn";
  private static final String LONG = "long";

  private final long number;
  private final Fd socket;
  private final PolledSocket polled; // the same
  private final Slot slot;
  private final KeptCalls calls;
  private final List<Pending> pending;
  private final ReentrantLock lock = new ReentrantLock();
  private int users; // who reads: 1 or 0
  private boolean closed;
  private int torn; // how many of reader and writer are within a frame
  private Optional<Gathering> gathering; // what has been read of a long frame

  private final WholeFrames frames; // of the thread that reads

  /**
   * Takes ownership of {@code socket}.
   *
   * @param recorded what an earlier daemon has begun, as far as it is in the record
   * @param gathering what it has read of a long frame
   */
  KeptLine(long number, Fd socket, Slot slot, CallPages pages, CallsRecord record, List<Pending> recorded,
      Optional<Gathering> gathering) {
    this.number = number;
    this.socket = socket;
    this.slot = slot;
    this.gathering = gathering;
    this.polled = new PolledSocket(socket);
    this.calls = new KeptCalls(number, pages, record);
    Optional<CallPage> read = Optional.empty();
    var begun = new ArrayList<CallPage>();
    for (CallPage page : pages.left(number)) {
      if (page.call() != 0) {
        begun.add(page);
      } else if (gathering.isPresent()) {
        pages.give(page); // it has the beginning of that
      } else {
        read = Optional.of(page);
      }
    }
    this.pending = calls.resume(recorded, begun);
    this.frames = new WholeFrames(number, socket, pages, new Within(), new HashSet<>(calls.ids()), read, gathering);
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
    return frames.holds() || socket.ready();
  }

  @Override
  public List<Pending> pending() {
    return pending;
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    enter();
    try {
      int count = frames.read(into);
      while (count == WholeFrames.NOTHING_NOW) {
        polled.awaitReadable();
        count = frames.read(into);
      }
      return count;
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
  public void begun(long id, boolean endless) {
    lock.lock();
    try {
      if (closed) {
        return; // nobody waits for the reply
      }
      Optional<CallPage> page = endless ? Optional.empty() : frames.lend(id);
      if (page.isPresent()) {
        calls.begun(id, page.get());
      } else {
        calls.begun(id, frames.data());
        frames.takeOut();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void replying(long id, byte[] reply) {
    calls.replying(id, reply);
  }

  @Override
  public void answered(long id) {
    calls.answered(id);
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    polled.enter();
    try {
      int length = from.remaining();
      send(from);
      return length;
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      polled.leave();
    }
  }

  private void send(ByteBuffer from) throws IOException, InterruptedException {
    boolean within = false;
    while (from.hasRemaining()) {
      int count = StreamSocket.send(socket, from.array(), from.position(), from.remaining());
      if (count < 0) {
        polled.awaitWritable();
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
      polled.close();
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
    for (long id : calls.ids()) {
      answered(id);
    }
  }
}
