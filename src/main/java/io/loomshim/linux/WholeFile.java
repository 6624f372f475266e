package io.loomshim.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Writes a file whole or not at all: readers see the old content or the new, and where there is no room for the new
 * one nothing of it stays. The error names the file, which the JDK's own does not when a write fails. Everything that
 * we leave for other programs to read is written here. Stateless.
 */
public final class WholeFile {
  private static final String OWNER_ONLY = "rw-------";

  private interface Draft {
    void write(Path draft) throws IOException;
  }

  private WholeFile() {}

  /**
   * Makes {@code file}, or puts {@code content} in the place of what it has.
   *
   * @throws NoSuchFileException when there is no such directory
   */
  public static void write(Path file, String content) throws IOException {
    put(file, draft -> Files.write(draft, content.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * The same, but where there is no room for another file a short content takes the place of what stands in
   * {@code file}, if there is one. Whoever reads it at that moment may see a part of each.
   */
  public static void renew(Path file, String content) throws IOException {
    try {
      write(file, content);
    } catch (IOException e) {
      if (!Files.exists(file)) {
        throw e;
      }
      byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
      try (Fd fd = Fd.open(file.toString(), Fd.O_WRONLY, 0)) {
        if (fd.tryWrite(bytes, 0, bytes.length) != bytes.length) {
          throw e;
        }
        fd.truncate(bytes.length);
      }
    }
  }

  /** The same as {@link #write} for what only its owner may read. */
  public static void writePrivate(Path file, String content) throws IOException {
    put(file, draft -> {
      Files.deleteIfExists(draft); // of a process that was killed meanwhile
      Files.createFile(draft, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ONLY)));
      Files.write(draft, content.getBytes(StandardCharsets.UTF_8));
    });
  }

  /** Puts {@code content} in the place of what {@code file} has, which keeps its owner and rights. */
  public static void rewrite(Path file, byte[] content) throws IOException {
    put(file, draft -> {
      Files.copy(file, draft, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
      Files.write(draft, content);
    });
  }

  /** Makes {@code file} a copy of {@code source}. */
  public static void copy(Path source, Path file) throws IOException {
    put(file, draft -> Files.copy(source, draft, StandardCopyOption.REPLACE_EXISTING));
  }

  private static void put(Path file, Draft content) throws IOException {
    Path draft = file.resolveSibling("." + file.getFileName() + ".draft");
    boolean done = false;
    try {
      content.write(draft);
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
      done = true;
    } catch (NoSuchFileException e) {
      throw draft.toString().equals(e.getFile()) ? new NoSuchFileException(file.toString()) : e;
    } catch (IOException e) {
      throw new IOException("cannot write " + file + ": " + reason(e), e);
    } finally {
      if (!done) {
        remove(draft);
      }
    }
  }

  private static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "Permission denied";
    }
    String reason = e instanceof FileSystemException named ? named.getReason() : e.getMessage();
    return reason == null ? e.toString() : reason;
  }

  private static void remove(Path draft) {
    try {
      Files.deleteIfExists(draft);
    } catch (IOException e) {
      // the caller is told what came first
    }
  }
}
