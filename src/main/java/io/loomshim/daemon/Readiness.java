package io.loomshim.daemon;

import io.loomshim.record.RecordFile;
import io.loomshim.record.Saved;
import io.loomshim.record.State;
import io.loomshim.shelf.StandBy;
import io.loomshim.takeover.Estate;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What a daemon does that has been started beside the one that it is to take over from: it makes sure that it could,
 * says so, and waits for the other one's end. Runs on the main thread, before anything else.
 */
final class Readiness {
  private Readiness() {}

  /**
   * Makes sure that the record of the other daemon can be taken over.
   *
   * @throws IOException with a sentence, when it cannot
   */
  static void check(Arguments arguments) throws IOException {
    Path file = arguments.runDirectory().resolve(RecordFile.NAME);
    State state = RecordFile.read(file).state();
    for (int kind : state.kinds()) {
      if (!Estate.knows(kind)) {
        throw new IOException(file + " has values of the kind " + kind + ", which this build does not know");
      }
    }
    Saved saved = Saved.of(file.toString(), state);
    if (!saved.daemon().getNamespace().equals(arguments.namespace())
        || !saved.daemon().getMode().equals(arguments.mode())) {
      throw new IOException(file + " is of a daemon for the namespace " + saved.daemon().getNamespace()
          + " with mode=" + saved.daemon().getMode());
    }
  }

  /** Waits until standard input ends, whose other end the other daemon has; then /dev/null is in its place. */
  static void awaitEnd() throws IOException {
    try (var other = new FileInputStream(FileDescriptor.in)) {
      while (other.read() >= 0) {
        // nothing is ever said there
      }
    }
  }

  /** What is said when {@link #check} has passed. */
  static String word() {
    return StandBy.READY;
  }
}
