package io.loomshim.stdio;

import io.loomshim.linux.Fd;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A pipe that a process in a container has as a standard stream.
 *
 * @param number the descriptor: 0, 1 or 2
 * @param inode by which the pipe is known in /proc
 */
public record StreamFile(int number, long inode) {
  /** Descriptor {@code number} of the process is an end of the pipe that {@code fd} is an end of. */
  static StreamFile pipe(int number, Fd fd) throws IOException {
    Path file = Path.of("/proc/self/fd", Integer.toString(fd.number()));
    return new StreamFile(number, (Long) Files.getAttribute(file, "unix:ino"));
  }
}
