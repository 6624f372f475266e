package io.loomshim.stdio;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;

/** Opens what a client has named by a path for an output, a fifo or a file, with errors in the Go shim's words. */
final class OutputPath implements Fifos.Opener {
  /** Waits for a reader of a fifo, see {@link Fifos#output}. */
  static Fifos.Ends open(Target.Path target) throws IOException, InterruptedException {
    try {
      return Fifos.output(target.path(), new OutputPath());
    } catch (FileSystemException e) {
      throw failed(target.path(), e);
    }
  }

  /** The same without waiting: nothing for a fifo without a reader. For steps of {@code Aside}. */
  static Optional<Fifos.Ends> openNow(Target.Path target) throws IOException {
    try {
      return Fifos.outputNow(target.path(), new OutputPath());
    } catch (FileSystemException e) {
      throw failed(target.path(), e);
    }
  }

  private static IOException failed(String path, FileSystemException e) {
    String why = e instanceof NoSuchFileException ? "no such file or directory" : e.getMessage();
    return new IOException("containerd-shim: opening file \"" + path + "\" failed: open " + path + ": " + why, e);
  }

  /** Opens a file that is there, to append to. */
  @Override
  public Fd open(String path) throws IOException {
    try {
      return Fd.open(path, Fd.O_WRONLY | Fd.O_APPEND, 0);
    } catch (ErrnoException e) {
      throw new IOException("containerd-shim: opening file \"" + path + "\" failed: " + e.getMessage(), e);
    }
  }
}
