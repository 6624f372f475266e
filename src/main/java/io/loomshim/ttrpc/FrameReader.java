package io.loomshim.ttrpc;

import io.loomshim.metrics.Budget;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/**
 * Reads frames from a channel. Used by the one thread that reads a connection; no lock.
 *
 * <p>While it waits it holds {@link #BUFFER_BYTES}. Several small frames may arrive in one read. A frame that does not
 * fit gets an array of its own, which is dropped with the next frame. Every read and write of an array goes through
 * native memory of the same size, so none moves more than {@link Frame#CHUNK_BYTES}.
 *
 * <p>Such an array counts against a {@link Budget} until {@link #release} or the next frame, unless {@link #hand}
 * passes that duty to the caller. A frame for which there is no room is read and thrown away.
 */
final class FrameReader {
  /** Bytes kept per connection: every request but Create, Exec and Update is shorter. */
  static final int BUFFER_BYTES = 512;

  /**
   * Bytes of memory for a byte of a large frame while it is served: the frame, the message made of it, a text made of
   * that, and the text that is made of that for runc.
   */
  static final int COPIES = 4;

  private final ReadableByteChannel channel;
  private final Budget budget;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private final ByteBuffer view = ByteBuffer.wrap(buffer);
  private int start;
  private int end;

  // the current frame
  private long length;
  private long id;
  private byte type;
  private byte[] data = buffer;
  private int offset;
  private boolean crowded;
  private long held; // of the budget

  FrameReader(ReadableByteChannel channel, Budget budget) {
    this.channel = channel;
    this.budget = budget;
  }

  /**
   * Waits for the next frame, which is valid until the following call. The data of a frame that is {@link #tooLong} or
   * {@link #crowded} has been read and thrown away.
   *
   * @return false at the end of the stream, also within a frame
   */
  boolean next() throws IOException {
    release();
    data = buffer;
    crowded = false;
    if (start == end) {
      start = 0;
      end = 0;
    }
    if (!fill(Frame.HEADER_BYTES)) {
      return false;
    }
    length = Frame.length(view, start);
    id = Frame.id(view, start);
    type = Frame.type(view, start);
    if (tooLong()) {
      start += Frame.HEADER_BYTES;
      return drain(length);
    }
    int whole = Frame.HEADER_BYTES + (int) length;
    if (whole > buffer.length) {
      start += Frame.HEADER_BYTES;
      long cost = length * COPIES;
      if (!budget.takeModestly(cost)) {
        crowded = true;
        return drain(length);
      }
      held = cost;
      return readLarge((int) length);
    }
    if (!fill(whole)) {
      return false;
    }
    offset = start + Frame.HEADER_BYTES;
    start += whole;
    return true;
  }

  boolean tooLong() {
    return length > Frame.DATA_BYTES_MAX;
  }

  /** Whether the budget had no room for the frame. */
  boolean crowded() {
    return crowded;
  }

  /** Returns the bytes that the current frame holds of the budget; the caller gives them back from now on. */
  long hand() {
    long handed = held;
    held = 0;
    return handed;
  }

  /** Gives back the bytes that the current frame holds; its data must not be used any more. */
  void release() {
    if (held > 0) {
      data = buffer;
      budget.give(hand());
    }
  }

  /** Returns the bytes of data that the header announced. */
  long length() {
    return length;
  }

  long id() {
    return id;
  }

  byte type() {
    return type;
  }

  /** Returns the array that holds the data, from {@link #offset} on. */
  byte[] data() {
    return data;
  }

  int offset() {
    return offset;
  }

  /** Reads until {@code bytes} stand in the buffer from {@code start} on. */
  private boolean fill(int bytes) throws IOException {
    if (start + bytes > buffer.length) {
      System.arraycopy(buffer, start, buffer, 0, end - start);
      end -= start;
      start = 0;
    }
    while (end - start < bytes) {
      int n = channel.read(view.limit(buffer.length).position(end));
      if (n < 0) {
        return false;
      }
      end += n;
    }
    return true;
  }

  private boolean readLarge(int bytes) throws IOException {
    byte[] large = new byte[bytes];
    int have = Math.min(end - start, bytes);
    System.arraycopy(buffer, start, large, 0, have);
    start += have;
    var into = ByteBuffer.wrap(large);
    while (have < bytes) {
      int n = channel.read(into.limit(Math.min(bytes, have + Frame.CHUNK_BYTES)).position(have));
      if (n < 0) {
        return false;
      }
      have += n;
    }
    data = large;
    offset = 0;
    return true;
  }

  private boolean drain(long bytes) throws IOException {
    long left = bytes - Math.min(end - start, bytes);
    start += (int) (bytes - left);
    if (left == 0) {
      return true;
    }
    ByteBuffer trash = ByteBuffer.allocate((int) Math.min(left, Frame.CHUNK_BYTES));
    while (left > 0) {
      int n = channel.read(trash.clear().limit((int) Math.min(left, trash.capacity())));
      if (n < 0) {
        return false;
      }
      left -= n;
    }
    return true;
  }
}
