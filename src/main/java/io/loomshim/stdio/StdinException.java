package io.loomshim.stdio;

import io.loomshim.errors.Scarce;
import io.loomshim.errors.Scarcity;
import java.io.IOException;

/** The client's end of a terminal's stdin could not be opened; the text is what clients know, with the path. */
public final class StdinException extends IOException implements Scarce {
  private static final long serialVersionUID = 1;

  private final boolean scarce;

  StdinException(String path, IOException cause) {
    super("failed to open stdin fifo " + path + ": " + cause.getMessage(), cause);
    this.scarce = Scarcity.of(cause);
  }

  @Override
  public boolean scarce() {
    return scarce;
  }
}
