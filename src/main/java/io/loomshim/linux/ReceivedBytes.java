package io.loomshim.linux;

import java.lang.invoke.VarHandle;

/**
 * Bytes that were taken out of a socket, in a page of {@link SharedMemory}, with their number: the kernel moves the
 * bytes and writes the number within one call (recvmmsg(2)), and a process that is killed ends no sooner than that. So
 * at each moment a byte is in the socket or here, and whoever has the page later sees which. Four words beside them are
 * the user's.
 *
 * <p>A kill ends a thread between two instructions, and all that it has written before is there then, in the order of
 * the program. The fences see to it that the compiler keeps that order. Used by one thread at a time.
 */
public final class ReceivedBytes {
  // the page: two struct mmsghdr with a struct iovec each, of which one is in use; then the fields below
  private static final int HEADER_BYTES = 64; // of struct mmsghdr of 64-bit Linux
  private static final int HEADER_VECTOR = 16;
  private static final int HEADER_VECTORS = 24;
  private static final int HEADER_COUNT = 56; // written by the kernel
  private static final int VECTORS = 128;
  private static final int VECTOR_BYTES = 16;
  private static final int NOW = 160; // which of the two has the last bytes, 0 or 1
  private static final int START = 164;
  private static final int BEFORE = 168; // for each of the two, how many bytes were there before its own
  private static final int WORDS = 176;
  private static final int DATA = 208;

  /** How many there may be. */
  public static final int BYTES_MAX = SharedMemory.PAGE_BYTES - DATA;

  private static final int MSG_DONTWAIT = 0x40;
  private static final long RECVMMSG = Native.function("recvmmsg");

  private final long address;

  /** Those that are in {@code page}, which may be those of another process. */
  public ReceivedBytes(SharedMemory memory, int page) {
    this.address = memory.address(page);
  }

  /** One of the four words; 0 in a page that was never used. */
  public long word(int index) {
    return Native.MEMORY.getLong(address + WORDS + (long) index * Long.BYTES);
  }

  /** Sets it: what was written before is there when this is. */
  public void word(int index, long value) {
    VarHandle.releaseFence();
    Native.MEMORY.putLong(address + WORDS + (long) index * Long.BYTES, value);
    VarHandle.releaseFence();
  }

  /** Where the bytes begin that count. */
  public int start() {
    return Native.MEMORY.getInt(address + START);
  }

  /** From now on they begin there. */
  public void start(int at) {
    VarHandle.releaseFence();
    Native.MEMORY.putInt(address + START, at);
    VarHandle.releaseFence();
  }

  /** Where they end. */
  public int end() {
    int now = Native.MEMORY.getInt(address + NOW);
    return Native.MEMORY.getInt(address + BEFORE + (long) now * Integer.BYTES)
        + Native.MEMORY.getInt(address + (long) now * HEADER_BYTES + HEADER_COUNT);
  }

  /** Forgets all of them. A kill in the middle of this leaves anything: a word must say that nothing here counts. */
  public void clear() {
    Native.MEMORY.putInt(address + NOW, 0);
    Native.MEMORY.putInt(address + START, 0);
    Native.MEMORY.putInt(address + BEFORE, 0);
    Native.MEMORY.putInt(address + HEADER_COUNT, 0);
  }

  /**
   * Takes what there is out of {@code socket}, at most {@code room} bytes, and adds it at the end.
   *
   * @param here whether to wait for something in the kernel, as {@link StreamSocket#receiveHere} does
   * @return how many bytes, 0 at the end of the stream, −1 when there is nothing now
   */
  public int receive(Fd socket, int room, boolean here) throws ErrnoException {
    int end = end();
    if (room <= 0 || end + room > BYTES_MAX) {
      throw new IllegalArgumentException("no room for " + room + " bytes at " + end);
    }
    long next = 1 - Native.MEMORY.getInt(address + NOW);
    long header = address + next * HEADER_BYTES;
    long vector = address + VECTORS + next * VECTOR_BYTES;
    Native.MEMORY.putInt(address + BEFORE + next * Integer.BYTES, end);
    Native.MEMORY.putInt(header + HEADER_COUNT, 0);
    Native.MEMORY.putLong(header + HEADER_VECTOR, vector); // the addresses are those of this process
    Native.MEMORY.putLong(header + HEADER_VECTORS, 1);
    Native.MEMORY.putLong(vector, address + DATA + end);
    Native.MEMORY.putLong(vector + Long.BYTES, room);
    VarHandle.releaseFence();
    Native.MEMORY.putInt(address + NOW, (int) next);
    VarHandle.releaseFence();
    int result;
    do {
      result = Native.callInt(RECVMMSG, socket.number(), header, 1, here ? 0 : MSG_DONTWAIT, 0);
    } while (result == -Errno.EINTR);
    if (result == -Errno.EAGAIN) {
      return -1;
    }
    ErrnoException.check("recvmmsg", result);
    return Native.MEMORY.getInt(header + HEADER_COUNT);
  }

  /** Four of them, which begin {@code at}, as a number in network order. */
  public int number(int at) {
    check(at, Integer.BYTES);
    return Integer.reverseBytes(Native.MEMORY.getInt(address + DATA + at)); // both processors are little-endian
  }

  /** Copies {@code length} of them, which begin {@code at}. */
  public void get(int at, byte[] into, int offset, int length) {
    check(at, length);
    Native.MEMORY.getByteArray(address + DATA + at, into, offset, length);
  }

  /** Writes other bytes {@code at} a place behind the end. */
  public void put(int at, byte[] data) {
    check(at, data.length);
    Native.MEMORY.putByteArray(address + DATA + at, data, 0, data.length);
  }

  private static void check(int at, int length) {
    if (at < 0 || length < 0 || at + length > BYTES_MAX) {
      throw new IndexOutOfBoundsException(length + " bytes at " + at);
    }
  }
}
