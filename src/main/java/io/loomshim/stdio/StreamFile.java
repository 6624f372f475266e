package io.loomshim.stdio;

import io.loomshim.linux.Aside;
import io.loomshim.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a process in a container has as a standard stream: a pipe, or a fifo or file of the host, which cannot be
 * reached by a path in there.
 *
 * @param number the descriptor: 0, 1 or 2
 * @param pipe whether it is a pipe
 * @param mount the id of the mount that it was opened through (proc_pid_fdinfo(5)); meaningless for a pipe
 * @param inode its number in that file system
 */
public record StreamFile(int number, boolean pipe, int mount, long inode) {
  private static final String MOUNT = "mnt_id:";

  /** Descriptor {@code number} of the process is the fifo or file that {@code fd} is. */
  static StreamFile file(int number, Fd fd) throws IOException, InterruptedException {
    for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo", Integer.toString(fd.number())))) {
      if (line.startsWith(MOUNT)) {
        return new StreamFile(number, false, Integer.parseInt(line.substring(MOUNT.length()).strip()),
            Aside.run("stat " + fd, () -> inode(fd)));
      }
    }
    throw new IOException("/proc does not tell the mount of " + fd);
  }

  /** Descriptor {@code number} of the process is an end of the pipe that {@code fd} is an end of. */
  static StreamFile pipe(int number, Fd fd) throws IOException {
    return new StreamFile(number, true, 0, inode(fd));
  }

  private static long inode(Fd fd) throws IOException {
    return (Long) Files.getAttribute(Path.of("/proc/self/fd", Integer.toString(fd.number())), "unix:ino");
  }
}
