package io.loomshim.takeover;

import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.linux.StreamSocket;
import io.loomshim.ttrpc.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * Reads frames that stay in the socket until they are taken out, whole. One that is too long for that is gathered
 * ({@link Gathering}), or read as it comes where that is not possible. Used by the one thread that reads the
 * connection; no lock.
 */
final class WholeFrames {
  /** A frame up to this length is whole in the socket before it is read; a peer's socket buffer holds more. */
  static final int WHOLE_BYTES_MAX = 64 << 10;

  /** The first look at the next frame. */
  private static final int SMALL_BYTES = 512;

  /** Between two looks for the rest of a frame, which is on its way. */
  private static final Duration REST_PAUSE_MIN = Duration.ofMillis(1);
  private static final Duration REST_PAUSE_MAX = Duration.ofMillis(50);

  /** What a frame may have that is served; a longer one is read and thrown away. */
  private static final long GATHERED_BYTES_MAX = (4 << 20) + Frame.HEADER_BYTES;

  /** Is told of what is no longer in the socket and not whole yet. */
  interface Within {
    /** A part of a frame is in this process from now on, and the rest is not. */
    void tear();

    /** No more. */
    void mend();

    /** A part of a frame is in {@code gathering} from now on; nothing: no more. */
    void gather(Optional<Gathering> gathering);
  }

  private final Fd socket;
  private final Within within;
  private final Set<Long> taken; // ids of requests that an earlier daemon has, and may not have taken out
  private final byte[] small = new byte[SMALL_BYTES];
  private byte[] frame = small;
  private int have; // bytes of the frame in the array
  private int given; // of those, to the caller
  private int inSocket; // of those, still to be taken out
  private long rest; // bytes of a long frame that are read as they come
  private Optional<Gathering> gathering; // the present frame, if it is a long one

  /** {@code gathering}: what an earlier daemon has of a long frame. */
  WholeFrames(Fd socket, Within within, Set<Long> taken, Optional<Gathering> gathering) {
    this.socket = socket;
    this.within = within;
    this.taken = taken;
    this.gathering = gathering;
  }

  /** Waits for bytes of the present frame or, behind that, of the next, and for no more; −1 at the end. */
  int read(ByteBuffer into) throws IOException, InterruptedException {
    if (rest == 0 && given == have && !next()) {
      return -1;
    }
    if (rest > 0) {
      return readOn(into);
    }
    int count = Math.min(into.remaining(), have - given);
    into.put(frame, given, count);
    given += count;
    return count;
  }

  /** Waits until the next frame is in the array, or is known to be a long one; false at the end. */
  private boolean next() throws IOException, InterruptedException {
    if (gathering.isPresent() && have == 0) { // an earlier daemon's
      return gathered();
    }
    takeOut();
    Duration pause = REST_PAUSE_MIN;
    int before = 0;
    boolean over = false; // nothing has come after that look
    while (true) {
      int count = StreamSocket.receive(socket, frame, 0, frame.length, true);
      if (count == 0) {
        return false;
      }
      if (count < 0) {
        Poller.shared().awaitReadable(socket);
        continue;
      }
      long whole = Frame.HEADER_BYTES;
      whole += count < whole ? 0 : Frame.length(ByteBuffer.wrap(frame), 0);
      boolean stuck = count == before && pause.equals(REST_PAUSE_MAX); // in small pieces it may not fit into a socket
      if (whole > WHOLE_BYTES_MAX || stuck && count >= Frame.HEADER_BYTES && count < whole) {
        return begin(whole);
      }
      before = count;
      if (whole > frame.length) {
        frame = new byte[(int) whole];
      } else if (count < whole && over) {
        return false; // the peer has gone within a frame
      } else if (count < whole && StreamSocket.over(socket)) {
        over = true; // one more look, as it may have sent the rest meanwhile
      } else if (count < whole) {
        Thread.sleep(pause); // an edge would be told at once, as there is something
        pause = pause.compareTo(REST_PAUSE_MAX) < 0 ? pause.multipliedBy(2) : REST_PAUSE_MAX;
      } else {
        have = (int) whole;
        given = 0;
        inSocket = have;
        if (!taken.remove(Frame.id(ByteBuffer.wrap(frame), 0))) {
          return true;
        }
        takeOut();
      }
    }
  }

  private boolean begin(long whole) throws IOException, InterruptedException {
    gathering = whole <= GATHERED_BYTES_MAX ? Gathering.of(whole) : Optional.empty();
    if (gathering.isPresent()) {
      within.gather(gathering);
      return gathered();
    }
    within.tear();
    rest = whole;
    return true;
  }

  /** Waits until a long frame is complete, and for the next one if another daemon has served it; false at the end. */
  private boolean gathered() throws IOException, InterruptedException {
    Gathering now = gathering.orElseThrow();
    while (!now.complete()) {
      int count = now.fill(socket);
      if (count == 0) {
        return false;
      }
      if (count < 0) {
        Poller.shared().awaitReadable(socket);
      }
    }
    frame = now.frame();
    have = frame.length;
    given = 0;
    if (taken.remove(Frame.id(ByteBuffer.wrap(frame), 0))) {
      return next();
    }
    return true;
  }

  private int readOn(ByteBuffer into) throws IOException, InterruptedException {
    byte[] piece = new byte[(int) Math.min(into.remaining(), rest)];
    while (true) {
      int count = StreamSocket.receive(socket, piece, 0, piece.length, false);
      if (count < 0) {
        Poller.shared().awaitReadable(socket);
        continue;
      }
      into.put(piece, 0, count);
      rest -= count;
      if (rest == 0) {
        within.mend(); // it may be lost from here until it is recorded, which is a moment
      }
      return count == 0 ? -1 : count;
    }
  }

  /** The data of the present frame; nothing for one that is read as it comes. */
  ByteBuffer data() {
    return have > 0 ? ByteBuffer.wrap(frame, Frame.HEADER_BYTES, have - Frame.HEADER_BYTES)
        : ByteBuffer.allocate(0);
  }

  /** Whether the present frame is still in the socket, or gathered where it outlives this daemon. */
  boolean kept() {
    return inSocket > 0 || gathering.isPresent();
  }

  /** Takes the present frame out of the socket. */
  void takeOut() throws IOException {
    while (inSocket > 0) {
      int count = StreamSocket.receive(socket, frame, 0, inSocket, false);
      if (count <= 0) {
        throw new ClosedChannelException();
      }
      inSocket -= count;
    }
    if (gathering.isPresent()) {
      within.gather(Optional.empty());
      close();
    }
    frame = small;
    have = 0;
    given = 0;
  }

  /** Gives up what has been gathered; the connection is closed, or the frame has been taken out. */
  void close() {
    gathering.ifPresent(Gathering::close);
    gathering = Optional.empty();
  }
}
