package io.loomshim.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What tests of mounts with mapped ids share: a file system that can map them, and a look at what is left. */
final class MappedIds {
  static final List<String> OPTIONS = List.of("uidmap=0:1000:1000", "gidmap=0:5000:1000");

  private MappedIds() {}

  /** Mounts a file system at {@code directory} that can map ids, or skips the test where the kernel has none. */
  static Path fileSystem(Path directory) throws Exception {
    Files.createDirectories(directory);
    String release = Kernel.release();
    if (!Kernel.before(release, 6, 3)) {
      Mounts.mount("tmpfs", "tmpfs", directory, List.of("mode=755", "size=16m"));
      return directory;
    }
    Path mkfs = Path.of("/sbin/mkfs.ext4");
    assumeTrue(!Kernel.before(release, 5, 19) && Files.exists(mkfs) && Files.exists(Path.of("/dev/loop-control")),
        "tmpfs maps ids from Linux 6.3 on, and ext4, which needs mkfs.ext4 and loop devices here, below an overlay "
            + "from 5.19 on; this is " + release);
    Path image = directory.resolveSibling(directory.getFileName() + ".image");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(16 << 20);
    }
    new ProcessBuilder(mkfs.toString(), "-q", image.toString()).inheritIO().start().waitFor();
    Mounts.mount("ext4", image.toString(), directory, List.of("loop"));
    return directory;
  }

  /** Writes a file of root and returns its path. */
  static Path file(Path path) throws IOException {
    Files.createDirectories(path.getParent());
    Files.writeString(path, path.getFileName().toString());
    return path;
  }

  static String owner(Path path) throws IOException {
    return Files.getAttribute(path, "unix:uid") + ":" + Files.getAttribute(path, "unix:gid");
  }

  static List<String> points(Path directory) throws IOException {
    return MountTable.under(directory).stream().map(MountTable.Entry::point).toList();
  }

  /** What this process has: descriptors, children, mounts below {@code directory}. */
  record Holdings(long descriptors, long children, List<String> mounts) {
    static Holdings now(Path directory) throws IOException {
      try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
        return new Holdings(open.count(), ProcessHandle.current().children().count(), points(directory));
      }
    }

    void check(Path directory) throws IOException {
      assertEquals(this, now(directory));
    }
  }
}
