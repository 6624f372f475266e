package io.loomshim.linux;

import java.io.IOException;
import java.nio.file.Path;

/** What tests need of terminals, fifos and sockets beyond what the shim itself does. Stateless. */
public final class Terminals {
  private static final int O_NOCTTY = 0400;
  private static final int TIOCSPTLCK = 0x40045431;
  private static final int TIOCGPTN = 0x80045430;
  private static final int TIOCGWINSZ = 0x5413;
  private static final int TERMIOS_BYTES = 128;
  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;

  private static final long IOCTL = Native.function("ioctl");
  private static final long MKFIFO = Native.function("mkfifo");
  private static final long TCGETATTR = Native.function("tcgetattr");
  private static final long TCSETATTR = Native.function("tcsetattr");
  private static final long CFMAKERAW = Native.function("cfmakeraw");
  private static final long SOCKET = Native.function("socket");
  private static final long CONNECT = Native.function("connect");
  private static final long SENDMSG = Native.function("sendmsg");

  private Terminals() {}

  /** The master of a new pseudo terminal whose other side can be opened. */
  public static Fd master() throws IOException {
    Fd master = Fd.open("/dev/ptmx", Fd.O_RDWR | O_NOCTTY, 0);
    try (var arena = new Arena(8)) {
      ErrnoException.check("unlock", Native.callInt(IOCTL, master.number(), TIOCSPTLCK, arena.bytes(8), 0, 0, 0));
    }
    return master;
  }

  /** The other side of {@code master}, non-blocking, passing bytes through as they are. */
  public static Fd slave(Fd master) throws IOException {
    try (var arena = new Arena(8 + TERMIOS_BYTES + 32)) {
      long number = arena.bytes(8);
      ErrnoException.check("TIOCGPTN", Native.callInt(IOCTL, master.number(), TIOCGPTN, number, 0, 0, 0));
      String path = "/dev/pts/" + Native.MEMORY.getInt(number);
      Fd slave = Fd.open(path, Fd.O_RDWR | O_NOCTTY | Fd.O_NONBLOCK, 0);
      long termios = arena.bytes(TERMIOS_BYTES);
      ErrnoException.check("tcgetattr", Native.callInt(TCGETATTR, slave.number(), termios, 0, 0, 0, 0));
      Native.call(CFMAKERAW, termios, 0, 0, 0, 0, 0);
      ErrnoException.check("tcsetattr", Native.callInt(TCSETATTR, slave.number(), 0, termios, 0, 0, 0));
      return slave;
    }
  }

  /** The size of a terminal as {@code stty size} prints it: rows, columns. */
  public static String size(Fd terminal) throws IOException {
    try (var arena = new Arena(8)) {
      long size = arena.bytes(8);
      ErrnoException.check("TIOCGWINSZ", Native.callInt(IOCTL, terminal.number(), TIOCGWINSZ, size, 0, 0, 0));
      return (Native.MEMORY.getShort(size) & 0xffff) + " " + (Native.MEMORY.getShort(size + 2) & 0xffff);
    }
  }

  /** Makes a fifo. */
  public static String fifo(Path path) throws IOException {
    try (var arena = Arena.forStrings(path.toString())) {
      ErrnoException.check("mkfifo", Native.callInt(MKFIFO, arena.string(path.toString()), 0600, 0, 0, 0, 0));
    }
    return path.toString();
  }

  /** Connects to the Unix socket {@code path}. */
  public static Fd connect(Path path) throws IOException {
    var socket = new Fd(ErrnoException.check("socket", Native.callInt(SOCKET, AF_UNIX, SOCK_STREAM, 0, 0, 0, 0)));
    byte[] name = path.toString().getBytes();
    try (var arena = new Arena(112)) {
      long address = arena.bytes(112);
      Native.MEMORY.putShort(address, (short) AF_UNIX);
      Native.MEMORY.putByteArray(address + 2, name, 0, name.length);
      int length = 3 + name.length;
      ErrnoException.check("connect", Native.callInt(CONNECT, socket.number(), address, length, 0, 0, 0));
    }
    return socket;
  }

  /** Sends one message of {@code bytes} zeros with {@code fds} in it. */
  public static void send(Fd socket, int bytes, Fd... fds) throws IOException {
    int control = 16 + (fds.length * 4 + 7) / 8 * 8;
    try (var arena = new Arena(56 + 16 + bytes + control + 96L)) {
      long vector = arena.bytes(16);
      Native.MEMORY.putLong(vector, arena.bytes(bytes + 1L));
      Native.MEMORY.putLong(vector + 8, bytes);
      long header = arena.bytes(56);
      Native.MEMORY.putLong(header + 16, vector);
      Native.MEMORY.putLong(header + 24, 1);
      long message = arena.bytes(control);
      if (fds.length > 0) {
        Native.MEMORY.putLong(header + 32, message);
        Native.MEMORY.putLong(header + 40, control);
        Native.MEMORY.putLong(message, 16 + fds.length * 4L);
        Native.MEMORY.putInt(message + 8, SOL_SOCKET);
        Native.MEMORY.putInt(message + 12, SCM_RIGHTS);
        for (int i = 0; i < fds.length; i++) {
          Native.MEMORY.putInt(message + 16 + i * 4L, fds[i].number());
        }
      }
      ErrnoException.check("sendmsg", (int) Native.callLong(SENDMSG, socket.number(), header, 0, 0, 0, 0));
    }
  }
}
