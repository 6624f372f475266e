package io.loomshim.record;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.io.ByteArrayOutputStream;
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
 * @param bytes how many were in it at first
 */
record RecordDraft(Fd fd, Object key, long bytes) {
  private static final int OWNER_ONLY = 0600;
  private static final String DRAFT = "record.draft";
  private static final int PIECE_BYTES = 32 << 10;

  /** Writes a draft and gives it the name of the record; the old file is the record until then. */
  static RecordDraft replace(Path directory, State state) throws IOException {
    Path draft = directory.resolve(DRAFT);
    Files.deleteIfExists(draft); // of a daemon that was killed meanwhile
    Fd fresh = Fd.open(draft.toString(), Fd.O_CREAT | Fd.O_WRONLY | Fd.O_APPEND, OWNER_ONLY);
    boolean done = false;
    try {
      long bytes = write(fresh, draft, state);
      var file = new RecordDraft(fresh, keyOf(draft), bytes);
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

  /** A piece at a time: all of a thousand containers is 2 MB, which the heap would keep for it. */
  private static long write(Fd file, Path draft, State state) throws IOException {
    var piece = new ByteArrayOutputStream(2 * PIECE_BYTES);
    piece.writeBytes(Format.header());
    long bytes = 0;
    for (Change change : state.changes()) {
      piece.writeBytes(Format.entry(change));
      if (piece.size() >= PIECE_BYTES) {
        bytes += write(file, draft, piece.toByteArray());
        piece.reset();
      }
    }
    return bytes + write(file, draft, piece.toByteArray());
  }

  private static int write(Fd file, Path draft, byte[] piece) throws IOException {
    int written = 0;
    while (written < piece.length) { // a signal may cut a long write short
      int count = file.tryWrite(piece, written, piece.length - written);
      if (count <= 0) {
        throw new ErrnoException("write " + draft, Errno.ENOSPC);
      }
      written += count;
    }
    return written;
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
