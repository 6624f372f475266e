package io.loomshim.takeover;

import io.loomshim.linux.Fd;
import io.loomshim.linux.StreamSocket;
import io.loomshim.ttrpc.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;

/**
 * Reads frames that outlive the daemon until they are taken out: what is read lies in a page ({@link CallPage}), and
 * what is too long for that is gathered ({@link Gathering}), or read as it comes where that is not possible. It never
 * parks: its caller does, with few frames on the stack, as the heap has the stacks of all threads that are parked. Used
 * by the one thread that reads the connection; no lock.
 */
final class WholeFrames {
  /** There is nothing to read now. */
  static final int NOTHING_NOW = -2;

  /** What a frame may have that is served; a longer one is read and thrown away. */
  private static final long GATHERED_BYTES_MAX = (4 << 20) + Frame.HEADER_BYTES;

  private static final byte[] NOTHING = {};

  /** Is told of what is neither in the socket nor in a page, and not whole yet. */
  interface Within {
    /** A part of a frame is in this process from now on, and the rest is not. */
    void tear();

    /** No more. */
    void mend();

    /** A part of a frame is in {@code gathering} from now on; nothing: no more. */
    void gather(Optional<Gathering> gathering);
  }

  private final long connection;
  private final Fd socket;
  private final CallPages pages;
  private final Within within;
  private final Set<Long> taken; // ids of requests that an earlier daemon has recorded, and may not have taken out
  private Optional<CallPage> page; // where the last bytes are that were read, and the present frame unless it is long
  private boolean drained; // the last read has not filled its room
  private byte[] longFrame = NOTHING; // the present frame if it is a long one, or what has been read of it
  private int have; // bytes of the present frame
  private int given; // of those, to the caller
  private long rest; // bytes of a long frame that are read as they come
  private boolean torn; // the present frame is one of those
  private Optional<Gathering> gathering; // the present frame, if it is a long one

  /**
   * Reads from {@code socket}.
   *
   * @param left what an earlier daemon has read, this object's from now on
   * @param gathering what it has of a long frame
   */
  WholeFrames(long connection, Fd socket, CallPages pages, Within within, Set<Long> taken, Optional<CallPage> left,
      Optional<Gathering> gathering) {
    this.connection = connection;
    this.socket = socket;
    this.pages = pages;
    this.within = within;
    this.taken = taken;
    this.page = left;
    this.gathering = gathering;
  }

  /** Whether an earlier daemon has read something, as long as nobody has asked for it. */
  boolean holds() {
    return page.isPresent() || gathering.isPresent();
  }

  /**
   * Reads bytes of the present frame or, behind that, of the next, and no more. A platform thread waits for them in the
   * kernel.
   *
   * @return how many, −1 at the end, {@link #NOTHING_NOW} before the socket is readable
   */
  int read(ByteBuffer into) throws IOException {
    if (given == have) {
      if (rest > 0) {
        return readOn(into);
      }
      int next = next();
      if (next <= 0) {
        return next;
      }
    }
    int count = Math.min(into.remaining(), have - given);
    if (longFrame.length > 0) {
      into.put(longFrame, given, count);
    } else {
      page.orElseThrow().get(given, into.array(), into.arrayOffset() + into.position(), count);
      into.position(into.position() + count);
    }
    given += count;
    return count;
  }

  /** Has the next frame be there, or be known as a long one: 1 then, else what {@link #read} returns. */
  private int next() throws IOException {
    if (gathering.isPresent() && have == 0) { // under way, or an earlier daemon's
      return gathered();
    }
    takeOut();
    while (true) {
      if (page.isPresent() && page.get().count() >= Frame.HEADER_BYTES) {
        long whole = page.get().frame();
        if (page.get().count() >= whole) {
          have = (int) whole;
          if (taken.isEmpty() || !taken.remove(page.get().id())) {
            return 1;
          }
          takeOut();
          continue;
        }
        if (!page.get().fits(whole)) {
          return begin(whole);
        }
      }
      int count = receive();
      if (count <= 0) {
        return count;
      }
    }
  }

  /**
   * Adds more bytes to the page: how many, else what {@link #read} returns. A thread that does not wait here does not
   * look where the last read has shown that there is nothing: what has come meanwhile makes the socket readable.
   */
  private int receive() throws IOException {
    boolean here = !Thread.currentThread().isVirtual();
    if (drained && !here) {
      drained = false;
      return NOTHING_NOW;
    }
    if (page.isEmpty()) {
      page = Optional.of(pages.take(connection));
    }
    int room = page.get().room();
    int count = page.get().receive(socket, here);
    drained = count > 0 && count < room;
    if (count < 0) {
      giveEmpty();
      return NOTHING_NOW;
    }
    return count == 0 ? -1 : count;
  }

  private void giveEmpty() {
    if (page.isPresent() && page.get().count() == 0) {
      givePage();
    }
  }

  private void givePage() {
    pages.give(page.orElseThrow());
    page = Optional.empty();
  }

  private int begin(long whole) throws IOException {
    byte[] first = page.orElseThrow().first();
    gathering = whole <= GATHERED_BYTES_MAX ? Gathering.of(whole, first) : Optional.empty();
    drained = false;
    if (gathering.isPresent()) {
      within.gather(gathering);
      givePage(); // a next daemon that finds both knows that this is not the one that counts
      return gathered();
    }
    within.tear();
    givePage();
    torn = true;
    longFrame = first;
    have = first.length;
    rest = whole - have;
    return 1;
  }

  /** Has a long frame be complete, and the next one be there if another daemon has served it, as {@link #next}. */
  private int gathered() throws IOException {
    Gathering now = gathering.orElseThrow();
    while (!now.complete()) {
      int count = now.fill(socket);
      if (count <= 0) {
        return count == 0 ? -1 : NOTHING_NOW;
      }
    }
    longFrame = now.frame();
    have = longFrame.length;
    if (taken.remove(Frame.id(ByteBuffer.wrap(longFrame), 0))) {
      return next();
    }
    return 1;
  }

  private int readOn(ByteBuffer into) throws IOException {
    byte[] piece = new byte[(int) Math.min(into.remaining(), rest)];
    int count = StreamSocket.receive(socket, piece, 0, piece.length);
    if (count <= 0) {
      return count == 0 ? -1 : NOTHING_NOW;
    }
    into.put(piece, 0, count);
    rest -= count;
    if (rest == 0) {
      within.mend(); // it may be lost from here until it is recorded, which is a moment
    }
    return count;
  }

  /** The data of the present frame; nothing for one that is read as it comes. */
  ByteBuffer data() {
    if (have == 0 || torn) {
      return ByteBuffer.allocate(0);
    }
    byte[] frame = longFrame.length > 0 ? longFrame : page.orElseThrow().first(have);
    return ByteBuffer.wrap(frame, Frame.HEADER_BYTES, have - Frame.HEADER_BYTES);
  }

  /** Whether the present frame outlives this daemon. */
  boolean kept() {
    return have > 0 && !torn;
  }

  /**
   * Has the call of the present frame begin in the page where that is.
   *
   * @return the page, the caller's from now on; empty when the frame is not the only thing in one, or no page may be
   *     had
   */
  Optional<CallPage> lend(long id) {
    if (have == 0 || longFrame.length > 0 || page.orElseThrow().count() != have || !pages.lend(page.get(), id)) {
      return Optional.empty();
    }
    Optional<CallPage> lent = page;
    page = Optional.empty();
    have = 0;
    given = 0;
    return lent;
  }

  /** Takes the present frame out: it does not outlive this daemon any more. */
  void takeOut() {
    if (have > 0 && longFrame.length == 0) {
      page.orElseThrow().drop(have);
    }
    giveEmpty();
    if (gathering.isPresent()) {
      within.gather(Optional.empty());
      closeGathering();
    }
    longFrame = NOTHING;
    torn = false;
    have = 0;
    given = 0;
  }

  private void closeGathering() {
    gathering.ifPresent(Gathering::close);
    gathering = Optional.empty();
  }

  /** Gives up what has been read and gathered: the connection is closed. */
  void close() {
    closeGathering();
    if (page.isPresent()) {
      givePage();
    }
    longFrame = NOTHING;
    have = 0;
    given = 0;
  }
}
