package io.loomshim.record;

import com.google.protobuf.MessageLite;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.log.Log;
import io.loomshim.metrics.Shortages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes the record of one daemon, in the file {@value RecordFile#NAME} of its run directory, which is on a tmpfs: one
 * write(2) an entry, and no fsync, as the record need not outlive the machine. Entries stand in the order in which
 * {@link #write} was called. Any thread may call it; {@code lock} guards all fields.
 *
 * <p>A file that has grown to twice its size after the last compaction is compacted: what it amounts to is written to
 * another file, which then takes its name. One that was another daemon's is compacted sooner. Whatever moment
 * the daemon is killed at, there is one readable file.
 *
 * <p>A full file system fails no container. What cannot be written waits in memory, at most {@link #WAITING_BYTES_MAX},
 * for the next entry, and meanwhile the file is called {@value RecordFile#BEHIND}: no one takes it for the whole truth.
 * Beyond that the record is given up and its file removed.
 */
public final class Record implements Journal, AutoCloseable {
  /** What waits in memory for room in the file: some thousand transitions. */
  static final int WAITING_BYTES_MAX = 1 << 20;

  /** A file that is smaller is not compacted. */
  static final int COMPACT_BYTES_MIN = 64 << 10;

  private static final String SHORTAGE = "record of containers";
  private static final byte[] NOTHING = {};

  private final Path directory;
  private final ReentrantLock lock = new ReentrantLock();
  private RecordDraft file;
  private long bytes; // of whole entries in the file
  private long compactAt;
  private byte[] waiting = NOTHING;
  private boolean closed; // or given up

  private Record(Path directory, RecordDraft file, long bytes, long compactAt) {
    this.directory = directory;
    this.file = file;
    this.bytes = bytes;
    this.compactAt = compactAt;
  }

  /**
   * Begins the record of a daemon without containers. One that is there, of a daemon that was killed, is renamed to
   * {@link RecordFile#BEFORE}.
   *
   * @throws IOException when the file cannot be written; nothing is left of it then
   */
  public static Record begin(Path directory, MessageLite daemon) throws IOException {
    for (String name : new String[] {RecordFile.NAME, RecordFile.BEHIND}) {
      if (Files.exists(directory.resolve(name))) {
        Files.move(directory.resolve(name), directory.resolve(RecordFile.BEFORE), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    var state = new State();
    state.apply(List.of(Change.put(Kinds.DAEMON, "", daemon)));
    RecordDraft file = RecordDraft.replace(directory, state);
    return new Record(directory, file, file.bytes(), compactAt(file.bytes()));
  }

  private static long compactAt(long bytes) {
    return 2 * bytes + COMPACT_BYTES_MIN;
  }

  /**
   * Goes on in the file that {@code content} was read from, whose writer has ended: clients wait, so nothing is written
   * but what is new. An entry that was cut off goes. How much of the file counts no more is not known, so it is
   * compacted soon. Where there is no room it goes on telling of the daemon before, and is true in all else.
   *
   * @throws IOException when the file cannot be written; what it says is as it was then
   */
  public static Record resume(Path directory, RecordFile.Content content, MessageLite daemon) throws IOException {
    Path path = directory.resolve(RecordFile.NAME);
    byte[] entry = Format.entry(Change.put(Kinds.DAEMON, "", daemon));
    RecordDraft file = RecordDraft.resume(directory, content.bytes(), content.torn() > 0);
    boolean done = false;
    try {
      long bytes = content.bytes();
      if (fits(file.fd(), entry)) {
        bytes += entry.length;
      } else {
        file.fd().truncate(bytes);
        Log.warn("no room in the record of containers", "path", path.toString());
      }
      done = true;
      return new Record(directory, file, bytes, bytes + COMPACT_BYTES_MIN);
    } finally {
      if (!done) {
        file.fd().close();
      }
    }
  }

  private static boolean fits(Fd file, byte[] entry) throws ErrnoException {
    try {
      return file.tryWrite(entry, 0, entry.length) == entry.length;
    } catch (ErrnoException e) {
      if (e.errno() != Errno.ENOSPC) {
        throw e;
      }
      return false;
    }
  }

  @Override
  public void write(Change... changes) {
    lock.lock();
    try {
      if (!closed) {
        append(Format.entry(changes));
      }
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      giveUp(e); // an entry is missing, and what follows would not be true
    } finally {
      lock.unlock();
    }
  }

  private void append(byte[] entry) throws IOException {
    byte[] data = waiting.length == 0 ? entry : joined(waiting, entry);
    String problem = "No space left on device";
    int written = 0;
    try {
      written = file.fd().tryWrite(data, 0, data.length);
    } catch (ErrnoException e) {
      problem = String.valueOf(e.getMessage());
    }
    if (written == data.length) {
      bytes += written;
      caughtUp();
      if (bytes >= compactAt) {
        compact();
      }
    } else {
      fallBehind(data, written > 0, problem);
    }
  }

  private static byte[] joined(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private void caughtUp() throws IOException {
    if (waiting.length > 0) {
      waiting = NOTHING;
      Files.move(directory.resolve(RecordFile.BEHIND), directory.resolve(RecordFile.NAME),
          StandardCopyOption.ATOMIC_MOVE);
      Shortages.end(SHORTAGE);
    }
  }

  private void fallBehind(byte[] data, boolean partly, String problem) throws IOException {
    if (partly) {
      file.fd().truncate(bytes);
    }
    if (data.length > WAITING_BYTES_MAX) {
      throw new IOException(problem);
    }
    if (waiting.length == 0) {
      Files.move(directory.resolve(RecordFile.NAME), directory.resolve(RecordFile.BEHIND),
          StandardCopyOption.ATOMIC_MOVE); // needs no room: the names lie in the kernel's memory
      Shortages.begin(SHORTAGE, "a daemon that is killed now takes its containers with it", new IOException(problem));
    }
    waiting = data;
  }

  private void compact() throws IOException {
    Path path = directory.resolve(RecordFile.NAME);
    if (!file.isAt(path)) {
      remove(); // another daemon has begun here, or the file was taken away: this one would grow unseen
      return;
    }
    State state = RecordFile.read(path).state();
    try {
      RecordDraft fresh = RecordDraft.replace(directory, state);
      file.fd().close();
      file = fresh;
      bytes = fresh.bytes();
    } catch (IOException e) {
      Log.debug("record not compacted", "path", path.toString(), "error", String.valueOf(e.getMessage()));
    }
    compactAt = compactAt(bytes);
  }

  @Override
  public void giveUp(Throwable why) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true; // first: whatever fails below, nothing is written any more
      remove();
      Log.error("the record of containers is given up", "path", directory.toString(), "error", why.toString());
      Shortages.begin(SHORTAGE, "a daemon that is killed takes its containers with it", new IOException(why));
    } catch (OutOfMemoryError e) {
      // it is closed, which is what counts
    } finally {
      lock.unlock();
    }
  }

  private void remove() {
    closed = true;
    waiting = NOTHING;
    file.fd().close();
    try {
      for (String name : RecordFile.NAMES) {
        Path path = directory.resolve(name);
        if (file.isAt(path)) {
          Files.deleteIfExists(path);
        }
      }
    } catch (IOException e) {
      Log.warn("record not removed", "path", directory.toString(), "error", String.valueOf(e.getMessage()));
    }
  }

  /** Whether all that was written stands in the file, so that another daemon could go on with it. */
  public boolean complete() {
    lock.lock();
    try {
      return !closed && waiting.length == 0;
    } finally {
      lock.unlock();
    }
  }

  /** Writes no more and leaves the file to another daemon. */
  public void leave() {
    lock.lock();
    try {
      closed = true;
      file.fd().close();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the record of a daemon that ends in order, and removes the file; can be repeated. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        remove();
      }
    } finally {
      lock.unlock();
    }
  }
}
