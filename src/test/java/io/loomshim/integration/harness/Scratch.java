package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One temporary directory per JVM, short enough for socket paths, removed when the JVM ends. Every
 * process and mount of the tests shows this path somewhere, so that left-overs are found by it.
 */
public final class Scratch {
  public static final Path BASE = make();

  private static final AtomicInteger NEXT = new AtomicInteger();

  private Scratch() {}

  /** A new directory below the base. */
  public static Path directory(String name) {
    try {
      return Files.createDirectory(BASE.resolve(name + NEXT.incrementAndGet()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path make() {
    try {
      // not createTempDirectory: its 19 digits are too many for a socket path
      Path base = Path.of(System.getProperty("java.io.tmpdir"), "lit-" + ProcessHandle.current().pid());
      if (Files.exists(base)) {
        remove(base); // of an earlier JVM with our pid
      }
      Files.createDirectory(base, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(base)));
      return base;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes a tree; never descends into something mounted there, because that would not be ours to empty. */
  public static void remove(Path tree) {
    if (Mounts.below(tree.toString()).size() > 0) {
      System.err.println("not removed, because something is mounted below: " + tree);
      return;
    }
    try {
      Files.walkFileTree(tree, new SimpleFileVisitor<>() {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
          Files.deleteIfExists(file);
          return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, IOException e) throws IOException {
          Files.deleteIfExists(directory);
          return FileVisitResult.CONTINUE;
        }
      });
    } catch (IOException e) {
      System.err.println("not removed: " + e);
    }
  }
}
