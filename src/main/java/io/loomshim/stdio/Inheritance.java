package io.loomshim.stdio;

import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Fd;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A process without a terminal has its streams from the command that makes it. */
record Inheritance(ProcessIo io) implements Attachment {
  @Override
  public List<Fd> childFds() {
    return io.childFds();
  }

  @Override
  public Optional<Path> consoleSocket() {
    return Optional.empty();
  }

  @Override
  public void complete() {
    try {
      io.started();
    } catch (IOException e) {
      throw new StatusException(Scarcity.code(e), "failed to start io pipe copy: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    // the command's copies have ended with it
  }
}
