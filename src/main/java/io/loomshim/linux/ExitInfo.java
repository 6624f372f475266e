package io.loomshim.linux;

import java.util.OptionalInt;

/**
 * How a process has ended that is no child of ours (ioctl(2) PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15). Does not
 * block. Stateless.
 */
public final class ExitInfo {
  // linux/pidfd.h: u64 mask, u64 cgroup, eleven u32, s32 exit_code
  private static final int INFO_BYTES = 64;
  private static final int EXIT_CODE = 60;
  private static final long WANTED = 1 << 3;
  private static final long GET_INFO = 0xC040_FF0BL; // _IOWR(0xFF, 11, the 64 bytes)

  private static final long IOCTL = Native.function("ioctl");

  private static final int MAJOR = 6; // the first version that tells
  private static final int MINOR = 15;

  private ExitInfo() {}

  /** Whether this kernel tells, by its version; one that has been given more than that says may tell all the same. */
  public static boolean told() {
    return told(System.getProperty("os.version", ""));
  }

  static boolean told(String version) {
    String[] numbers = version.split("[^0-9]+", 3);
    try {
      int major = Integer.parseInt(numbers[0]);
      return major > MAJOR || major == MAJOR && Integer.parseInt(numbers[1]) >= MINOR;
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return false;
    }
  }

  /**
   * The status word that wait(2) describes, of the process of {@code pidfd}; empty while it has not ended, or has not
   * been reaped by its parent.
   *
   * @throws ErrnoException ENOTTY or EINVAL for a kernel that does not tell
   */
  public static OptionalInt of(Fd pidfd) throws ErrnoException {
    try (var arena = new Arena(INFO_BYTES)) {
      long info = arena.bytes(INFO_BYTES);
      Native.MEMORY.putLong(info, WANTED);
      int result = Native.callInt(IOCTL, pidfd.number(), GET_INFO, info);
      if (result == -Errno.ESRCH) {
        return OptionalInt.empty();
      }
      ErrnoException.check("ioctl", result);
      return (Native.MEMORY.getLong(info) & WANTED) == 0 ? OptionalInt.empty()
          : OptionalInt.of(Native.MEMORY.getInt(info + EXIT_CODE));
    }
  }
}
