package io.loomshim.record;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
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
 * @param bytes how many were in it at first
 */
record RecordDraft(Fd fd, Object key, long bytes) {
  private static final int OWNER_ONLY = 0600;
  private static final String DRAFT = "record.draft";

  /** All of a thousand containers is 2 MB, which the heap would keep: it is written a piece at a time. */
  private static final int PIECE_BYTES = 32 << 10;

  /** Writes a draft and gives it the name of the record; the old file is the record until then. */
  static RecordDraft replace(Path directory, State state) throws IOException {
    Path draft = directory.resolve(DRAFT);
    Files.deleteIfExists(draft); // of a daemon that was killed meanwhile
    Fd fresh = Fd.open(draft.toString(), Fd.O_CREAT | Fd.O_WRONLY | Fd.O_APPEND, OWNER_ONLY);
    boolean done = false;
    try {
      var appending = new Appending(fresh, draft);
      var pieces = new BufferedOutputStream(appending, PIECE_BYTES);
      Format.write(state, pieces);
      pieces.flush();
      var file = new RecordDraft(fresh, keyOf(draft), appending.bytes);
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

  /** Appends to a new file. */
  private static final class Appending extends OutputStream {
    private final Fd file;
    private final Path path;
    private long bytes;

    private Appending(Fd file, Path path) {
      this.file = file;
      this.path = path;
    }

    @Override
    public void write(int octet) throws IOException {
      write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] data, int offset, int length) throws IOException {
      int written = 0;
      while (written < length) { // a signal may cut a long write short
        int count = file.tryWrite(data, offset + written, length - written);
        if (count <= 0) {
          throw new ErrnoException("write " + path, Errno.ENOSPC);
        }
        written += count;
      }
      bytes += written;
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
      var file = new RecordDraft(fd, keyOf(path), bytes);
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
