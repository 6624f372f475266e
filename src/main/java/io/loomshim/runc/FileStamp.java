package io.loomshim.runc;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * By what a file is told from what it was before: another one in its place has another number, one that was written
 * into has another ctime (stat(2)). A value, but no record: the first comparison of one takes a JVM 10 ms.
 */
final class FileStamp {
  /** The magic number of a program. */
  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

  private final String path;
  private final Map<String, Object> attributes;

  private FileStamp(String path, Map<String, Object> attributes) {
    this.path = path;
    this.attributes = attributes;
  }

  /** That of the file that {@code path} leads to; takes as long as its file system takes. */
  static FileStamp of(String path) throws IOException {
    Map<String, Object> is = Files.readAttributes(Path.of(path), "unix:dev,ino,size,lastModifiedTime,ctime");
    return new FileStamp(path, is);
  }

  /** Where the file is. */
  String path() {
    return path;
  }

  /** Whether {@code file} is a program, elf(5); a script is none. */
  static boolean elf(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return Arrays.equals(in.readNBytes(ELF.length), ELF);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FileStamp another && path.equals(another.path)
        && attributes.equals(another.attributes);
  }

  @Override
  public int hashCode() {
    return attributes.hashCode();
  }

  /** Whether it is still the same, and there at all. */
  boolean holds(String path) {
    try {
      return of(path).equals(this);
    } catch (IOException e) {
      return false; // whoever uses it is told why
    }
  }
}
