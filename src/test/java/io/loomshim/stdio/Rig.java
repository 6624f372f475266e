package io.loomshim.stdio;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.linux.Fd;
import io.loomshim.linux.Posix;
import io.loomshim.process.Child;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Real fifos and real children, and an eye on this process's descriptors, for the tests of this room. */
final class Rig {
  private static final List<String> ENV = List.of("PATH=/usr/bin:/bin");

  private Rig() {}

  /** Makes a fifo in {@code directory} and returns its path. */
  static String fifo(Path directory, String name) throws IOException {
    return Posix.fifo(directory.resolve(name));
  }

  /** Starts a shell with {@code fds} as its descriptors 0, 1 and 2. */
  static Child sh(String script, List<Fd> fds) throws IOException, InterruptedException {
    return Spawner.spawn(new Spawn(List.of("/bin/sh", "-c", script), ENV, Path.of("/"), fds));
  }

  /** Opens the reading end as a client does. */
  static Fd reader(String path) throws IOException, InterruptedException {
    return Fd.open(path, Fd.O_RDONLY | Fd.O_NONBLOCK, 0);
  }

  /** Opens the writing end of a fifo that has a reader. */
  static Fd writer(String path) throws IOException, InterruptedException {
    return Fd.open(path, Fd.O_WRONLY | Fd.O_NONBLOCK, 0);
  }

  static void write(Fd fd, String text) throws IOException, InterruptedException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertEquals(bytes.length, fd.tryWrite(bytes, 0, bytes.length));
  }

  /** Reads until {@code length} bytes have come, or the end. */
  static byte[] read(Fd fd, int length) throws IOException, InterruptedException {
    var bytes = new ByteArrayOutputStream();
    while (bytes.size() < length) {
      byte[] buffer = new byte[Math.min(64 * 1024, length - bytes.size())];
      int count = fd.read(buffer);
      if (count == 0) {
        break;
      }
      bytes.write(buffer, 0, count);
    }
    return bytes.toByteArray();
  }

  static String text(Fd fd, int length) throws IOException, InterruptedException {
    return new String(read(fd, length), StandardCharsets.UTF_8);
  }

  /** What the descriptor {@code number} of this process is open on. */
  static String target(int number) throws IOException, InterruptedException {
    return Files.readSymbolicLink(Path.of("/proc/self/fd/" + number)).toString();
  }

  /** The pipes that this process has open, and its files below {@code directory}; sorted. */
  static List<String> open(Path directory) throws IOException, InterruptedException {
    var targets = new ArrayList<String>();
    try (DirectoryStream<Path> fds = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path fd : fds) {
        try {
          String target = Files.readSymbolicLink(fd).toString();
          if (target.startsWith("pipe:") || target.startsWith(directory + "/")) {
            targets.add(target);
          }
        } catch (IOException e) {
          // closed since it was listed
        }
      }
    }
    Collections.sort(targets);
    return targets;
  }

  /** Waits until nothing is open but {@code before}. */
  static void awaitOpen(Path directory, List<String> before) {
    await().untilAsserted(() -> assertEquals(before, open(directory)));
  }
}
