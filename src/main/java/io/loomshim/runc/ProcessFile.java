package io.loomshim.runc;

import io.loomshim.linux.SmallFile;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The file from which runc reads the process object of an exec. It has secrets, so it is for its owner alone and goes
 * as soon as runc has read it, or its command is given up. Written and removed within steps of {@link Aside}.
 */
public final class ProcessFile {
  private final Path path;
  private final String process;
  private final AtomicBoolean givenUp = new AtomicBoolean();
  private volatile boolean written;

  /** The file {@code path} for the JSON {@code process}; nothing is there yet. */
  public ProcessFile(Path path, String process) {
    this.path = path;
    this.process = process;
  }

  Path path() {
    return path;
  }

  /** Whether there was one, so that runc may have been started. */
  public boolean written() {
    return written;
  }

  /**
   * Writes it, in the step that starts runc.
   *
   * @throws UncheckedIOException with what has failed
   * @throws InterruptedException if it was given up meanwhile; it is not there then
   */
  void write() throws InterruptedException {
    try {
      SmallFile.writePrivate(path.toString(), process.getBytes(StandardCharsets.UTF_8));
      written = true;
      if (givenUp.get()) {
        remove();
        throw new InterruptedException("write " + path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes it, if it is there. */
  public void remove() throws IOException {
    SmallFile.remove(path.toString());
  }

  /** Sees to it that it is not there, nor comes any more; a failure is logged. From any thread. */
  void giveUp() {
    givenUp.set(true); // before the removal: a write that is not seen by that sees this
    Aside.finish("remove " + path, this::remove);
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
