package io.loomshim.takeover;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.ReceivedBytes;
import io.loomshim.linux.SharedMemory;
import io.loomshim.ttrpc.Frame;

/**
 * A page of {@link CallPages}: what has been read of one connection, and is the beginning of what comes next on it; or
 * one call that has begun, with its request and, once there is one, its reply. What it says it says at each moment: a
 * daemon that is killed leaves one or the other. Used by the thread that reads the connection, then by that of the
 * call; by one at a time.
 */
final class CallPage {
  /** Bytes of frames that it holds: then a header fits behind them. */
  static final int READ_MAX = ReceivedBytes.BYTES_MAX - Frame.HEADER_BYTES;

  // words
  private static final int OWNER = 0; // the number of the connection, 0 for none: then nothing here counts
  private static final int CALL = 1; // the id of the call that has begun, 0 while the bytes are what was read
  private static final int REPLY = 2; // the length of its reply, which stands behind the request; 0 for none yet

  private final ReceivedBytes bytes;

  CallPage(SharedMemory memory, int page) {
    this.bytes = new ReceivedBytes(memory, page);
  }

  /** Begins to be for a connection. */
  void own(long connection) {
    bytes.clear();
    bytes.word(CALL, 0);
    bytes.word(REPLY, 0);
    bytes.word(OWNER, connection);
  }

  /** Nothing here counts any more. */
  void free() {
    bytes.word(OWNER, 0);
  }

  long owner() {
    return bytes.word(OWNER);
  }

  /** The call that has begun; 0 for none. */
  long call() {
    return bytes.word(CALL);
  }

  /** How many bytes there are. */
  int count() {
    return bytes.end() - bytes.start();
  }

  /** Whether a frame of {@code length} bytes has room here, of which the first ones are here. */
  boolean fits(long length) {
    return bytes.start() + length <= READ_MAX;
  }

  /** How many bytes may be read now; always room for a header. */
  int room() {
    return Math.max(READ_MAX - bytes.end(), Frame.HEADER_BYTES - count());
  }

  /** Adds what the connection has, {@link #room} bytes at most; see {@link ReceivedBytes#receive}. */
  int receive(Fd socket, boolean here) throws ErrnoException {
    return bytes.receive(socket, room(), here);
  }

  /** The length of the first frame, of which a header is here at least. */
  long frame() {
    return Frame.HEADER_BYTES + Integer.toUnsignedLong(bytes.number(bytes.start()));
  }

  /** Its id. */
  long id() {
    return Integer.toUnsignedLong(bytes.number(bytes.start() + Frame.ID_OFFSET));
  }

  /** Copies {@code length} bytes, beginning with number {@code from}. */
  void get(int from, byte[] into, int offset, int length) {
    bytes.get(bytes.start() + from, into, offset, length);
  }

  /** All bytes. */
  byte[] first() {
    return first(count());
  }

  /** The first bytes. */
  byte[] first(int length) {
    var first = new byte[length];
    get(0, first, 0, length);
    return first;
  }

  /** The first bytes do not count any more. */
  void drop(int length) {
    bytes.start(bytes.start() + length);
  }

  /** All that is here is the request of a call, which begins. */
  void begin(long id) {
    bytes.word(CALL, id);
  }

  /** The reply is about to be written; false when there is no room for it. */
  boolean replying(byte[] reply) {
    if (reply.length > ReceivedBytes.BYTES_MAX - bytes.end()) {
      return false;
    }
    bytes.put(bytes.end(), reply);
    bytes.word(REPLY, reply.length);
    return true;
  }

  /** The reply; empty before there is one. */
  byte[] reply() {
    var reply = new byte[(int) bytes.word(REPLY)];
    bytes.get(bytes.end(), reply, 0, reply.length);
    return reply;
  }
}
