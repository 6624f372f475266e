package io.loomshim.mount;

import io.loomshim.errors.Scarce;
import io.loomshim.linux.ErrnoException;
import java.io.IOException;

/** A mount with mapped ids is not possible; the message is a sentence that says what is missing. */
final class MappedMountException extends IOException implements Scarce {
  private static final long serialVersionUID = 1L;

  /** {@code errno}: what the kernel has said. */
  MappedMountException(String message, int errno) {
    super(message, new ErrnoException(errno));
  }

  @Override
  public boolean scarce() {
    return getCause() instanceof ErrnoException errno && errno.scarce();
  }
}
