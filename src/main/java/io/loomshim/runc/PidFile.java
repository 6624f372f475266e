package io.loomshim.runc;

import io.loomshim.linux.SmallFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file that runc writes the pid of a new process into. In a bundle: to be used within steps of {@code Aside}. */
public record PidFile(Path path) {
  /** The pid: decimal, without a line feed. */
  public int read() throws IOException {
    String text = SmallFile.text(path.toString()).strip();
    int pid = 0;
    try {
      pid = Integer.parseInt(text);
    } catch (NumberFormatException e) {
      // told below
    }
    if (pid <= 0) {
      throw new IOException("pid file " + path + " has no pid but \"" + text + "\"");
    }
    return pid;
  }

  /** The same; 0 when there is no such file. */
  public int readIfExists() throws IOException {
    return Files.exists(path) ? read() : 0;
  }

  /** Removes the file, if it is there. */
  public void remove() throws IOException {
    SmallFile.remove(path.toString());
  }

  /**
   * Removes what runc keeps of a pid file that it could not finish: it makes that one for itself alone, and would find
   * it taken when it is called again (runc, utils_linux.go, createPidFile).
   */
  public void removeDraft() throws IOException {
    Files.deleteIfExists(path.resolveSibling("." + path.getFileName()));
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
