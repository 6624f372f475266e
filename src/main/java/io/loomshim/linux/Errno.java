package io.loomshim.linux;

/** Error numbers of Linux (asm-generic/errno.h; the same on x86_64 and aarch64) and their texts. */
public final class Errno {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int ESRCH = 3;
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int ENXIO = 6;
  public static final int EBADF = 9;
  public static final int ECHILD = 10;
  public static final int EAGAIN = 11;
  public static final int ENOMEM = 12;
  public static final int EACCES = 13;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int ENODEV = 19;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENFILE = 23;
  public static final int EMFILE = 24;
  public static final int ENOTTY = 25;
  public static final int ENOSPC = 28;
  public static final int EPIPE = 32;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOSYS = 38;
  public static final int ENOTEMPTY = 39;
  public static final int ELOOP = 40;
  public static final int EUSERS = 87;
  public static final int EOPNOTSUPP = 95;
  public static final int ENOBUFS = 105;
  public static final int ETOOMANYREFS = 109;
  public static final int EDQUOT = 122;

  private static final long STRERROR = Native.function("strerror");

  private Errno() {}

  /** The text of {@code errno} as containerd's clients know it: strerror(3) with a small first letter. */
  public static String text(int errno) {
    long address = Native.callPointer(STRERROR, errno); // never null, strerror(3)
    String text = new String(Native.MEMORY.getZeroTerminatedByteArray(address));
    return Character.toLowerCase(text.charAt(0)) + text.substring(1);
  }
}
