package io.loomshim.task;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.runc.Scarcity;
import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.ErrorMapper;
import io.loomshim.ttrpc.StatusException;
import java.util.Optional;

/** Gives failed system calls the status codes that containerd's libraries give them, and scarcity one of its own. */
public final class ErrnoCodes implements ErrorMapper {
  @Override
  public Optional<StatusException> map(Throwable error) {
    if (Scarcity.of(error)) {
      return Optional.of(new StatusException(Code.RESOURCE_EXHAUSTED, String.valueOf(error.getMessage()), error));
    }
    if (!(error instanceof ErrnoException e)) {
      return Optional.empty();
    }
    Code code =
        switch (e.errno()) {
          case Errno.ENOENT -> Code.NOT_FOUND;
          case Errno.EEXIST, Errno.ENOTEMPTY -> Code.ALREADY_EXISTS;
          case Errno.EACCES, Errno.EPERM -> Code.PERMISSION_DENIED;
          default -> Code.UNKNOWN;
        };
    return Optional.of(new StatusException(code, e.getMessage(), e));
  }
}
