package io.loomshim.stdio;

import io.loomshim.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A fifo or a file of the host that a process in a container has as a standard stream, and that cannot be reached
 * by a path in there.
 *
 * @param number the descriptor: 0, 1 or 2
 * @param mount the id of the mount that it was opened through (proc_pid_fdinfo(5))
 * @param inode its number in that file system
 */
public record OuterFile(int number, int mount, long inode) {
  private static final String MOUNT = "mnt_id:";

  /** Descriptor {@code number} of the process is the file that {@code fd} is. */
  static OuterFile of(int number, Fd fd) throws IOException {
    Path link = Path.of("/proc/self/fd", Integer.toString(fd.number()));
    long inode = (Long) Files.getAttribute(link, "unix:ino");
    for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo", Integer.toString(fd.number())))) {
      if (line.startsWith(MOUNT)) {
        return new OuterFile(number, Integer.parseInt(line.substring(MOUNT.length()).strip()), inode);
      }
    }
    throw new IOException("/proc does not tell the mount of " + fd);
  }
}
