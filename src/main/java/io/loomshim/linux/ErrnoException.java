package io.loomshim.linux;

import io.loomshim.errors.Scarce;
import java.io.IOException;

/** A system call failed. The message is the text of the error number, after what was tried if that was given. */
public final class ErrnoException extends IOException implements Scarce {
  private static final long serialVersionUID = 1L;

  private final int errno;

  public ErrnoException(int errno) {
    super(Errno.text(errno));
    this.errno = errno;
  }

  /** The message becomes {@code what: text}, for example {@code open /x: no such file or directory}. */
  public ErrnoException(String what, int errno) {
    super(what + ": " + Errno.text(errno));
    this.errno = errno;
  }

  /** The error number, one of {@link Errno}. */
  public int errno() {
    return errno;
  }

  @Override
  public boolean scarce() {
    return switch (errno) {
      case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.ENOSPC, Errno.EDQUOT, Errno.EAGAIN -> true;
      default -> false;
    };
  }

  /** The text of the error number alone. */
  public String reason() {
    return Errno.text(errno);
  }

  /** Returns {@code result}, or throws when it is a negative error number. */
  public static int check(String what, int result) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(what, -result);
    }
    return result;
  }
}
