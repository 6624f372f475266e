package io.loomshim.record;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * The file that a {@link Record} writes.
 *
 * @param fd where entries are appended
 * @param key its device and inode: another daemon in this directory, which starts while this one ends, has another
 *     file of the same name
 */
record RecordDraft(Fd fd, Object key) {
  private static final int OWNER_ONLY = 0600;
  private static final String DRAFT = "record.draft";

  /** Writes a draft and gives it the name of the record; the old file is the record until then. */
  static RecordDraft replace(Path directory, byte[] content) throws IOException {
    Path draft = directory.resolve(DRAFT);
    Files.deleteIfExists(draft); // of a daemon that was killed meanwhile
    Fd fresh = Fd.open(draft.toString(), Fd.O_CREAT | Fd.O_WRONLY | Fd.O_APPEND, OWNER_ONLY);
    boolean done = false;
    try {
      int written = 0;
      while (written < content.length) { // a signal may cut a long write short
        int count = fresh.tryWrite(content, written, content.length - written);
        if (count <= 0) {
          throw new ErrnoException("write " + draft, Errno.ENOSPC);
        }
        written += count;
      }
      var file = new RecordDraft(fresh, keyOf(draft));
      Files.move(draft, directory.resolve(RecordFile.NAME), StandardCopyOption.ATOMIC_MOVE);
      done = true;
      return file;
    } finally {
      if (!done) {
        fresh.close();
        Files.deleteIfExists(draft);
      }
    }
  }

  /** The record as another daemon has left it; if that was {@code cut} off, its end is now after {@code bytes}. */
  static RecordDraft resume(Path directory, int bytes, boolean cut) throws IOException {
    Path path = directory.resolve(RecordFile.NAME);
    Files.deleteIfExists(directory.resolve(DRAFT)); // of a daemon that was killed meanwhile
    Fd fd = Fd.open(path.toString(), Fd.O_WRONLY | Fd.O_APPEND, OWNER_ONLY);
    boolean done = false;
    try {
      if (cut) {
        fd.truncate(bytes);
      }
      var file = new RecordDraft(fd, keyOf(path));
      done = true;
      return file;
    } finally {
      if (!done) {
        fd.close();
      }
    }
  }

  /** Whether {@code path} names this file. */
  boolean isAt(Path path) throws IOException {
    try {
      return key.equals(keyOf(path));
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static Object keyOf(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }
}
