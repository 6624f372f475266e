package io.loomshim.stdio;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Makes the files that outputs are appended to. Stateless. */
final class NewFiles {
  private static final int FILE_MODE = 0644;

  private NewFiles() {}

  /**
   * Opens {@code path} for appending, from all that have it open; makes it (0644) and its directories (0755), less
   * what the umask takes.
   *
   * @throws IOException {@code mkdir PATH: …} or {@code containerd-shim: opening file "PATH" failed: …}
   */
  static Fd open(String path) throws IOException, InterruptedException {
    return Aside.run("open " + path, () -> make(path).foreign(path), Fd::close);
  }

  private static Fd make(String path) throws IOException {
    Path parent = Path.of(path).getParent();
    if (parent != null) {
      try {
        var mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.createDirectories(parent, mode);
      } catch (IOException e) {
        throw new IOException("mkdir " + parent + ": " + why(e), e);
      }
    }
    try {
      // not to wait for a reader, should it be a fifo
      Fd file = Fd.open(path, Fd.O_WRONLY | Fd.O_APPEND | Fd.O_CREAT | Fd.O_NONBLOCK, FILE_MODE);
      try {
        file.nonBlocking(false);
        return file;
      } catch (ErrnoException e) {
        file.close();
        throw e;
      }
    } catch (ErrnoException e) {
      throw new IOException("containerd-shim: opening file \"" + path + "\" failed: " + e.getMessage(), e);
    }
  }

  private static String why(IOException e) {
    return switch (e) {
      case java.nio.file.FileAlreadyExistsException exists -> "not a directory";
      case java.nio.file.AccessDeniedException denied -> "permission denied";
      case java.nio.file.FileSystemException other when other.getReason() != null -> other.getReason();
      default -> String.valueOf(e.getMessage());
    };
  }
}
