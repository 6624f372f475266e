package io.loomshim.linux;

import java.io.IOException;

/**
 * A copy of a program in memory that cannot be changed any more: a file without a name whose content and size are
 * sealed (memfd_create(2), fcntl(2)) and, where the kernel can (6.1), whose mode and owner are fixed
 * (FS_IMMUTABLE_FL, ioctl_iflags(2)). Any thread may use it.
 */
public final class ProgramCopy {
  private static final int MFD_CLOEXEC = 1;
  private static final int MFD_ALLOW_SEALING = 2;
  private static final int MFD_EXEC = 0x10; // from Linux 6.3 on
  private static final int F_ADD_SEALS = 1033;

  /** SEAL, SHRINK, GROW, WRITE: with any other, runc before 1.2 does not take it for sealed (cloned_binary.c). */
  private static final int SEALS = 0xf;

  private static final int READABLE_AND_EXECUTABLE = 0555;
  private static final long FS_IOC_SETFLAGS = 0x40086602L;
  private static final int FS_IMMUTABLE_FL = 0x10;
  private static final int CHUNK_BYTES_MAX = 64 << 20;
  private static final int O_CLOEXEC = 02000000;

  private static final long MEMFD_CREATE = Native.function("memfd_create");
  private static final long SENDFILE = Native.function("sendfile64");
  private static final long FCNTL = Native.function("fcntl64");
  private static final long FCHMOD = Native.function("fchmod");
  private static final long IOCTL = Native.function("ioctl");
  private static final long DUP3 = Native.function("dup3");

  private final Fd fd;
  private final boolean immutable;

  private ProgramCopy(Fd fd, boolean immutable) {
    this.fd = fd;
    this.immutable = immutable;
  }

  /**
   * Copies the file {@code program}; takes as long as its file system takes.
   *
   * @param name what the kernel shows as its name, after {@code /memfd:}
   */
  public static ProgramCopy of(String program, String name) throws IOException {
    try (Fd memory = create(name); Fd source = Fd.open(program, Fd.O_RDONLY, 0)) {
      long count;
      do {
        count = Native.callLong(SENDFILE, memory.number(), source.number(), 0, CHUNK_BYTES_MAX, 0, 0);
        ErrnoException.check("copy " + program, (int) Math.min(0, count));
      } while (count > 0);
      int number = memory.number();
      ErrnoException.check("fchmod", Native.callInt(FCHMOD, number, READABLE_AND_EXECUTABLE, 0, 0, 0, 0));
      ErrnoException.check("seal", Native.callInt(FCNTL, number, F_ADD_SEALS, SEALS, 0, 0, 0));
      boolean immutable = fix(memory);
      // execve(2) refuses a program that is open for writing (ETXTBSY)
      return new ProgramCopy(Fd.open("/proc/self/fd/" + number, Fd.O_RDONLY, 0), immutable);
    }
  }

  private static Fd create(String name) throws ErrnoException {
    try (var arena = Arena.forStrings(name)) {
      long address = arena.string(name);
      int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
      int result = Native.callInt(MEMFD_CREATE, address, flags | MFD_EXEC, 0, 0, 0, 0);
      if (result == -Errno.EINVAL) {
        result = Native.callInt(MEMFD_CREATE, address, flags, 0, 0, 0, 0);
      }
      return new Fd(ErrnoException.check("memfd_create", result));
    }
  }

  private static boolean fix(Fd memory) {
    try (var arena = new Arena(8)) {
      long flags = arena.bytes(8);
      Native.MEMORY.putLong(flags, FS_IMMUTABLE_FL);
      return Native.callInt(IOCTL, memory.number(), FS_IOC_SETFLAGS, flags, 0, 0, 0) == 0;
    }
  }

  /** Whether its mode and owner are fixed, too. */
  public boolean immutable() {
    return immutable;
  }

  /** Its path for other processes of ours, as long as this one lives. */
  public String path() {
    return "/proc/" + ProcessHandle.current().pid() + "/fd/" + fd.number();
  }

  /**
   * Gives the memory back, once no process runs it any more. The descriptor's number is not used again, as a start
   * that is under way may have its path: it finds a device there, which is no program.
   */
  public void retire() throws ErrnoException {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDONLY, 0)) {
      int result = Native.callInt(DUP3, nothing.number(), fd.number(), O_CLOEXEC, 0, 0, 0);
      ErrnoException.check("dup3", result);
    }
  }
}
