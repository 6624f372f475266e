package io.loomshim.stdio;

import io.loomshim.linux.Fd;
import io.loomshim.linux.Posix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import jnr.ffi.LibraryLoader;
import jnr.posix.CmsgHdr;
import jnr.posix.MsgHdr;

/** What tests need of terminals and sockets beyond what the shim itself does, by way of jnr-posix. Stateless. */
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

  /** What jnr-posix does not have. */
  public interface LibC {
    int ioctl(int fd, long request, ByteBuffer argument);

    int tcgetattr(int fd, ByteBuffer termios);

    int tcsetattr(int fd, int when, ByteBuffer termios);

    void cfmakeraw(ByteBuffer termios);

    int socket(int domain, int type, int protocol);

    int connect(int fd, ByteBuffer address, int length);
  }

  private static final LibC LIBC = LibraryLoader.create(LibC.class).load("c");

  private Terminals() {}

  private static ByteBuffer memory(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** The master of a new pseudo terminal whose other side can be opened. */
  public static Fd master() throws IOException {
    Fd master = Fd.open("/dev/ptmx", Fd.O_RDWR | O_NOCTTY, 0);
    Posix.check("unlock", LIBC.ioctl(master.number(), TIOCSPTLCK, memory(8)));
    return master;
  }

  /** The other side of {@code master}, non-blocking, passing bytes through as they are. */
  public static Fd slave(Fd master) throws IOException {
    ByteBuffer number = memory(8);
    Posix.check("TIOCGPTN", LIBC.ioctl(master.number(), TIOCGPTN & 0xffffffffL, number));
    Fd slave = Fd.open("/dev/pts/" + number.getInt(0), Fd.O_RDWR | O_NOCTTY | Fd.O_NONBLOCK, 0);
    ByteBuffer termios = memory(TERMIOS_BYTES);
    Posix.check("tcgetattr", LIBC.tcgetattr(slave.number(), termios));
    LIBC.cfmakeraw(termios);
    Posix.check("tcsetattr", LIBC.tcsetattr(slave.number(), 0, termios));
    return slave;
  }

  /** The size of a terminal as {@code stty size} prints it: rows, columns. */
  public static String size(Fd terminal) throws IOException {
    ByteBuffer size = memory(8);
    Posix.check("TIOCGWINSZ", LIBC.ioctl(terminal.number(), TIOCGWINSZ, size));
    return (size.getShort(0) & 0xffff) + " " + (size.getShort(2) & 0xffff);
  }

  /** Makes a fifo. */
  public static String fifo(Path path) throws IOException {
    return Posix.fifo(path);
  }

  /** Connects to the Unix socket {@code path}. */
  public static Fd connect(Path path) throws IOException {
    var socket = new Fd(Posix.check("socket", LIBC.socket(AF_UNIX, SOCK_STREAM, 0)));
    byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer address = memory(112).putShort((short) AF_UNIX).put(name).rewind();
    Posix.check("connect", LIBC.connect(socket.number(), address, 3 + name.length));
    return socket;
  }

  /** Sends one message of {@code bytes} zeros with {@code fds} in it. */
  public static void send(Fd socket, int bytes, Fd... fds) throws IOException {
    MsgHdr message = Posix.CALLS.allocateMsgHdr();
    message.setIov(new ByteBuffer[] {memory(bytes)});
    if (fds.length > 0) {
      ByteBuffer numbers = memory(4 * fds.length);
      for (Fd fd : fds) {
        numbers.putInt(fd.number());
      }
      CmsgHdr control = message.allocateControl(numbers.capacity());
      control.setLevel(SOL_SOCKET);
      control.setType(SCM_RIGHTS);
      control.setData(numbers.flip());
    }
    Posix.check("sendmsg", Posix.CALLS.sendmsg(socket.number(), message, 0));
  }
}
