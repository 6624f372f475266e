package io.loomshim.task;

import io.loomshim.errors.Code;
import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.runc.RuncException;
import io.loomshim.ttrpc.ErrorMapper;
import java.io.EOFException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;

/**
 * The one place where a failure gets the code that clients see, unless it has one: that which containerd's libraries
 * give it, and one of its own when something has run out. A cause inside an exception is not looked at. Stateless.
 */
public final class ErrorCodes implements ErrorMapper {
  @Override
  public StatusException map(Throwable error) {
    if (Scarcity.of(error)) {
      return new StatusException(Code.RESOURCE_EXHAUSTED, String.valueOf(error.getMessage()), error);
    }
    return switch (error) {
      case RuncException e -> new StatusException(e.code(), e.getMessage(), e);
      case ErrnoException e -> new StatusException(code(e.errno()), e.getMessage(), e);
      case EOFException e -> new StatusException(Code.OUT_OF_RANGE, text(e, "EOF"), e);
      case InvalidPathException e ->
          new StatusException(Code.INVALID_ARGUMENT, text(e, "path") + ": invalid argument", e);
      case NoSuchFileException e -> file(Code.NOT_FOUND, e, "no such file or directory");
      case AccessDeniedException e -> file(Code.PERMISSION_DENIED, e, "permission denied");
      case FileAlreadyExistsException e -> file(Code.ALREADY_EXISTS, e, "file exists");
      case DirectoryNotEmptyException e -> file(Code.ALREADY_EXISTS, e, "directory not empty");
      default -> ErrorMapper.unknown(error);
    };
  }

  private static Code code(int errno) {
    return switch (errno) {
      case Errno.ENOENT -> Code.NOT_FOUND;
      case Errno.EEXIST, Errno.ENOTEMPTY -> Code.ALREADY_EXISTS;
      case Errno.EACCES, Errno.EPERM -> Code.PERMISSION_DENIED;
      default -> Code.UNKNOWN;
    };
  }

  /** The JDK's message for these is the bare path. */
  private static StatusException file(Code code, Throwable error, String what) {
    return new StatusException(code, text(error, "file") + ": " + what, error);
  }

  private static String text(Throwable error, String otherwise) {
    String message = error.getMessage();
    return message == null || message.isEmpty() ? otherwise : message;
  }
}
