package io.loomshim.linux;

import java.util.ArrayList;
import java.util.List;

/**
 * A queue in the kernel that keeps descriptors: a pair of sockets of type SOCK_SEQPACKET (unix(7)), with messages that
 * each carry some bytes and some descriptors (SCM_RIGHTS). What is in the queue stays open for as long as any process
 * has the reading end open. None of the methods blocks. May be used from any thread, but only one at a time may look.
 *
 * @param reader where messages are taken out
 * @param writer where they are put in
 */
public record DescriptorQueue(Fd reader, Fd writer) implements AutoCloseable {
  /** Descriptors in one message: SCM_MAX_FD of the kernel. */
  public static final int FDS_MAX = 253;

  /** Bytes in one message; the kernel takes so many without memory that lies in one piece. */
  public static final int NOTE_BYTES_MAX = 48 << 10;

  // socket(2), setsockopt(2)
  private static final int AF_UNIX = 1;
  private static final int SOCK_SEQPACKET = 5;
  private static final int SOCK_NONBLOCK = 04000;
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int SOL_SOCKET = 1;
  private static final int SO_SNDBUF = 7;
  private static final int SO_SNDBUFFORCE = 32;
  private static final int SO_PEEK_OFF = 42;

  // send(2), recv(2), cmsg(3)
  private static final int MSG_PEEK = 2;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final int MSG_CTRUNC = 8;
  private static final int SCM_RIGHTS = 1;
  private static final int CONTROL_HEADER_BYTES = 16;
  private static final int CONTROL_BYTES_MAX = CONTROL_HEADER_BYTES + FDS_MAX * Integer.BYTES;

  // struct msghdr of 64-bit Linux, with one struct iovec
  private static final int HEADER_BYTES = 56;
  private static final int HEADER_VECTOR = 16;
  private static final int HEADER_VECTORS = 24;
  private static final int HEADER_CONTROL = 32;
  private static final int HEADER_CONTROL_LENGTH = 40;
  private static final int HEADER_FLAGS = 48;
  private static final int VECTOR_BYTES = 16;

  private static final long SOCKETPAIR = Native.function("socketpair");
  private static final long SETSOCKOPT = Native.function("setsockopt");
  private static final long SENDMSG = Native.function("sendmsg");
  private static final long RECVMSG = Native.function("recvmsg");
  private static final long RECV = Native.function("recv");

  /** For the first byte of a message, whose rest goes with it. */
  private static final SpareMemory DROPPED = new SpareMemory(Long.BYTES);

  /**
   * A message.
   *
   * @param note its bytes, at least one
   * @param fds the descriptors that came with it, which are the caller's
   */
  public record Message(byte[] note, List<Fd> fds) {
    /** Closes the descriptors. */
    public void close() {
      for (Fd fd : fds) {
        fd.close();
      }
    }
  }

  /** Makes an empty queue; both ends are closed on exec. Fails with EMFILE and the like. */
  public static DescriptorQueue make() throws ErrnoException {
    try (var arena = new Arena(8)) {
      long fds = arena.bytes(8);
      int type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
      ErrnoException.check("socketpair", Native.callInt(SOCKETPAIR, AF_UNIX, type, 0, fds));
      return new DescriptorQueue(new Fd(Native.MEMORY.getInt(fds)), new Fd(Native.MEMORY.getInt(fds + 4)));
    }
  }

  /**
   * Lets the queue hold messages of {@code bytes} with what the kernel needs for them, about a kilobyte each. Without
   * CAP_NET_ADMIN it gets what net.core.wmem_max allows.
   */
  public void capacity(int bytes) {
    if (option(writer, SO_SNDBUFFORCE, bytes) < 0) {
      option(writer, SO_SNDBUF, bytes);
    }
  }

  private static int option(Fd socket, int option, int value) {
    try (var arena = new Arena(Integer.BYTES)) {
      long address = arena.bytes(Integer.BYTES);
      Native.MEMORY.putInt(address, value);
      return Native.callInt(SETSOCKOPT, socket.number(), SOL_SOCKET, option, address, Integer.BYTES);
    }
  }

  /**
   * Puts a message in, with duplicates of {@code fds}.
   *
   * @throws ErrnoException EAGAIN when the queue is full, ETOOMANYREFS at the user's limit of descriptors in queues
   *     (unix(7)), EPIPE when no process has the reading end any more
   */
  public void put(byte[] note, List<Fd> fds) throws ErrnoException {
    if (note.length == 0 || note.length > NOTE_BYTES_MAX || fds.size() > FDS_MAX) {
      throw new IllegalArgumentException("a message of " + note.length + " bytes, " + fds.size() + " descriptors");
    }
    int control = CONTROL_HEADER_BYTES + fds.size() * Integer.BYTES;
    try (var arena = new Arena(HEADER_BYTES + VECTOR_BYTES + note.length + control + 96L)) {
      long bytes = arena.bytes(note.length);
      Native.MEMORY.putByteArray(bytes, note, 0, note.length);
      long header = header(arena, bytes, note.length);
      if (!fds.isEmpty()) {
        long address = arena.bytes(control);
        Native.MEMORY.putLong(address, control);
        Native.MEMORY.putInt(address + 8, SOL_SOCKET);
        Native.MEMORY.putInt(address + 12, SCM_RIGHTS);
        for (int i = 0; i < fds.size(); i++) {
          Native.MEMORY.putInt(address + CONTROL_HEADER_BYTES + (long) i * Integer.BYTES, fds.get(i).number());
        }
        Native.MEMORY.putLong(header + HEADER_CONTROL, address);
        Native.MEMORY.putLong(header + HEADER_CONTROL_LENGTH, control);
      }
      long sent = Native.callLong(SENDMSG, writer.number(), header, MSG_DONTWAIT | MSG_NOSIGNAL);
      ErrnoException.check("sendmsg", (int) sent);
    }
  }

  private static long header(Arena arena, long bytes, int length) {
    long vector = arena.bytes(VECTOR_BYTES);
    Native.MEMORY.putLong(vector, bytes);
    Native.MEMORY.putLong(vector + 8, length);
    long header = arena.bytes(HEADER_BYTES);
    Native.MEMORY.putLong(header + HEADER_VECTOR, vector);
    Native.MEMORY.putLong(header + HEADER_VECTORS, 1);
    return header;
  }

  /**
   * Takes the oldest messages out, {@code count} of them at most. The kernel gives their descriptors up: to receive
   * them would need numbers for them, and to close them here may wait for a file system (close(2)).
   *
   * @return how many there were
   */
  public int drop(int count) throws ErrnoException {
    long word = DROPPED.take();
    try {
      for (int dropped = 0; dropped < count; dropped++) {
        int result = (int) Native.callLong(RECV, reader.number(), word, 1, MSG_DONTWAIT);
        if (result == -Errno.EAGAIN || result == 0) {
          return dropped; // nothing, or nothing and no process has the writing end
        }
        ErrnoException.check("recv", result);
      }
      return Math.max(0, count);
    } finally {
      DROPPED.give(word);
    }
  }

  /** How many bytes the notes in it have together. */
  public int noteBytes() throws ErrnoException {
    return reader.held();
  }

  /** The messages, oldest first, with new descriptors for what they keep; they stay in the queue. */
  public List<Message> look() throws ErrnoException {
    try (var room = new Room()) {
      return look(room);
    }
  }

  /** The same in {@code room}, which looks into many queues can share. */
  public List<Message> look(Room room) throws ErrnoException {
    var messages = new ArrayList<Message>(1);
    // from the beginning; each message moves it on, and what is taken out moves it back
    Native.MEMORY.putInt(room.zero, 0);
    int result = Native.callInt(SETSOCKOPT, reader.number(), SOL_SOCKET, SO_PEEK_OFF, room.zero, Integer.BYTES);
    ErrnoException.check("setsockopt", result);
    boolean more = true;
    while (more) {
      more = receive(room, messages);
    }
    return messages;
  }

  /** Native memory for one message after another. Used by one thread. */
  public static final class Room implements AutoCloseable {
    private final Arena arena;
    private final long bytes;
    private final long control;
    private final long header;
    private final long zero;

    /** For messages of any size. */
    public Room() {
      arena = new Arena(NOTE_BYTES_MAX + CONTROL_BYTES_MAX + HEADER_BYTES + VECTOR_BYTES + 112L);
      zero = arena.bytes(Integer.BYTES);
      bytes = arena.bytes(NOTE_BYTES_MAX);
      control = arena.bytes(CONTROL_BYTES_MAX);
      header = header(arena, bytes, NOTE_BYTES_MAX);
      Native.MEMORY.putLong(header + HEADER_CONTROL, control);
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  /** Adds a message, which stays, to {@code messages}; false when there is none. */
  private boolean receive(Room room, List<Message> messages) throws ErrnoException {
    Native.MEMORY.putLong(room.header + HEADER_CONTROL_LENGTH, CONTROL_BYTES_MAX);
    int flags = MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
    int count = (int) Native.callLong(RECVMSG, reader.number(), room.header, flags);
    if (count == -Errno.EAGAIN || count == 0) {
      return false; // nothing, or nothing and no process has the writing end
    }
    ErrnoException.check("recvmsg", count);
    var fds = new ArrayList<Fd>();
    long control = Native.MEMORY.getLong(room.header + HEADER_CONTROL_LENGTH);
    if (control >= CONTROL_HEADER_BYTES) {
      long number = (Native.MEMORY.getLong(room.control) - CONTROL_HEADER_BYTES) / Integer.BYTES;
      for (long i = 0; i < number; i++) {
        fds.add(new Fd(Native.MEMORY.getInt(room.control + CONTROL_HEADER_BYTES + i * Integer.BYTES)));
      }
    }
    byte[] note = new byte[count];
    Native.MEMORY.getByteArray(room.bytes, note, 0, note.length);
    var message = new Message(note, fds);
    if ((Native.MEMORY.getInt(room.header + HEADER_FLAGS) & MSG_CTRUNC) != 0) {
      message.close();
      throw new ErrnoException("recvmsg", Errno.EMFILE); // there was no number left for one of them
    }
    messages.add(message);
    return true;
  }

  @Override
  public void close() {
    reader.close();
    writer.close();
  }
}
