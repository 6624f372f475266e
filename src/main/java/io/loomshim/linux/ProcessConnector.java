package io.loomshim.linux;

import java.util.OptionalInt;

/**
 * The ends of processes that are no children of ours, as the kernel's process connector tells them (NETLINK_CONNECTOR,
 * linux/cn_proc.h): it writes the status of each process that is in a table into that, whoever runs meanwhile, for as
 * long as any process has both descriptors. Nobody is woken for it. Does not block. May be used from any thread.
 *
 * @param socket the connector's, which keeps the program
 * @param table by pid: 0 for one that has not ended
 */
public record ProcessConnector(Fd socket, KernelTable table) implements AutoCloseable {
  // socket(2), netlink(7)
  private static final int AF_NETLINK = 16;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_NONBLOCK = 04000;
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int NETLINK_CONNECTOR = 11;
  private static final int ADDRESS_BYTES = 12; // u16 family, u16, u32 port, u32 groups
  private static final int ADDRESS_GROUPS = 8;

  private static final int SOL_SOCKET = 1;
  private static final int SO_ATTACH_BPF = 50;

  // struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port; struct cn_msg: u32 index, u32 value,
  // u32 sequence, u32 acknowledges, u16 length, u16 flags; then the operation
  private static final int MESSAGE_BYTES = 40;
  private static final int TYPE = 4;
  private static final int INDEX = 16;
  private static final int VALUE = 20;
  private static final int ACKNOWLEDGES = 28;
  private static final int LENGTH = 32;
  private static final int OPERATION = 36;
  private static final int NLMSG_DONE = 3;
  private static final int CN_IDX_PROC = 1;
  private static final int CN_VAL_PROC = 1;
  private static final int LISTEN = 1;
  private static final int IGNORE = 2;

  // the answer: struct proc_event with what = 0, and an error number
  private static final int ANSWER_BYTES = 128;
  private static final int ANSWER_ERROR = 52;

  private static final long SOCKET = Native.function("socket");
  private static final long BIND = Native.function("bind");
  private static final long SETSOCKOPT = Native.function("setsockopt");
  private static final long SEND = Native.function("send");
  private static final long RECV = Native.function("recv");

  /**
   * Listens, for at most {@code processesMax} at a time, a power of two.
   *
   * @throws ErrnoException where the kernel has no connector (EPROTONOSUPPORT), or tells only processes of its first
   *     namespaces of users and pids (EPERM); and as {@link KernelTable#make}
   */
  public static ProcessConnector listen(int processesMax) throws ErrnoException {
    int type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    var socket = new Fd(ErrnoException.check("connector", Native.callInt(SOCKET, AF_NETLINK, type, NETLINK_CONNECTOR)));
    try {
      KernelTable table = KernelTable.make(processesMax);
      try (Fd program = ExitFilter.load(table)) {
        bind(socket);
        ask(socket, LISTEN);
        awaitAnswer(socket);
        attach(socket, program);
        drop(socket);
        return new ProcessConnector(socket, table);
      } catch (ErrnoException | RuntimeException | Error e) {
        table.close();
        throw e;
      }
    } catch (ErrnoException | RuntimeException | Error e) {
      socket.close();
      throw e;
    }
  }

  private static void bind(Fd socket) throws ErrnoException {
    try (var arena = new Arena(ADDRESS_BYTES)) {
      long address = arena.bytes(ADDRESS_BYTES);
      Native.MEMORY.putShort(address, (short) AF_NETLINK);
      Native.MEMORY.putInt(address + ADDRESS_GROUPS, CN_IDX_PROC);
      ErrnoException.check("connector", Native.callInt(BIND, socket.number(), address, ADDRESS_BYTES));
    }
  }

  private static void ask(Fd socket, int operation) throws ErrnoException {
    try (var arena = new Arena(MESSAGE_BYTES)) {
      long message = arena.bytes(MESSAGE_BYTES);
      Native.MEMORY.putInt(message, MESSAGE_BYTES);
      Native.MEMORY.putShort(message + TYPE, (short) NLMSG_DONE);
      Native.MEMORY.putInt(message + INDEX, CN_IDX_PROC);
      Native.MEMORY.putInt(message + VALUE, CN_VAL_PROC);
      Native.MEMORY.putInt(message + ACKNOWLEDGES, name());
      Native.MEMORY.putShort(message + LENGTH, (short) Integer.BYTES);
      Native.MEMORY.putInt(message + OPERATION, operation);
      ErrnoException.check("connector", Native.callInt(SEND, socket.number(), message, MESSAGE_BYTES, 0));
    }
  }

  /** By which our answer is known among those to others: it has the next number. */
  private static int name() {
    return (int) ProcessHandle.current().pid();
  }

  /** The kernel answers before the question returns, or never: to a process of another namespace. */
  private static void awaitAnswer(Fd socket) throws ErrnoException {
    try (var arena = new Arena(ANSWER_BYTES)) {
      long message = arena.bytes(ANSWER_BYTES);
      while (true) {
        int length = Native.callInt(RECV, socket.number(), message, ANSWER_BYTES, 0);
        if (length == -Errno.EAGAIN) {
          throw new ErrnoException("connector", Errno.EPERM);
        }
        if (length > ANSWER_ERROR && Native.MEMORY.getInt(message + OPERATION) == 0
            && Native.MEMORY.getInt(message + ACKNOWLEDGES) == name() + 1) {
          ErrnoException.check("connector", -Native.MEMORY.getInt(message + ANSWER_ERROR));
          return;
        }
        if (length != -Errno.ENOBUFS) { // events that there was no room for
          ErrnoException.check("connector", length);
        }
      }
    }
  }

  private static void attach(Fd socket, Fd program) throws ErrnoException {
    try (var arena = new Arena(Integer.BYTES)) {
      long number = arena.bytes(Integer.BYTES);
      Native.MEMORY.putInt(number, program.number());
      ErrnoException.check("connector",
          Native.callInt(SETSOCKOPT, socket.number(), SOL_SOCKET, SO_ATTACH_BPF, number, Integer.BYTES));
    }
  }

  /** Throws away what came before the program was there. */
  private static void drop(Fd socket) {
    try (var arena = new Arena(ANSWER_BYTES)) {
      long message = arena.bytes(ANSWER_BYTES);
      int length;
      do {
        length = Native.callInt(RECV, socket.number(), message, ANSWER_BYTES, 0);
      } while (length >= 0 || length == -Errno.ENOBUFS);
    }
  }

  /**
   * The status word that wait(2) describes, of a process that is in the table and has ended. Of one whose first thread
   * has ended by itself it is 0 until the others have ended too, which the pidfd tells.
   */
  public OptionalInt status(int pid) throws ErrnoException {
    long entry = table.get(pid).orElse(0);
    return (entry & ExitFilter.KNOWN) == 0 ? OptionalInt.empty() : OptionalInt.of((int) entry);
  }

  /** Puts a process into the table whose status word is known already. */
  public void put(int pid, int status) throws ErrnoException {
    table.put(pid, ExitFilter.KNOWN | status & 0xffff_ffffL);
  }

  /** Listens no more, in all processes that have it; up to Linux 6.5 the kernel counts who has said that. */
  public void ignore() {
    try {
      ask(socket, IGNORE);
    } catch (ErrnoException e) {
      // it goes with the socket, but for the count
    }
  }

  @Override
  public void close() {
    socket.close();
    table.close();
  }
}
