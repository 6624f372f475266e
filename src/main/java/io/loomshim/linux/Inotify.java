package io.loomshim.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Waits for files to appear in directories, or for a file to be written (inotify(7)). One thread takes. */
public final class Inotify implements AutoCloseable {
  public static final int MODIFY = 0x2;
  public static final int MOVED_TO = 0x80;
  public static final int CREATE = 0x100;

  /** Told, for watch −1, when events came faster than they were taken and some were dropped. */
  public static final int OVERFLOW = 0x4000;

  /** Told when the thing watched is gone. */
  public static final int IGNORED = 0x8000;

  private static final int IN_NONBLOCK = 04000;
  private static final int IN_CLOEXEC = 02000000;
  private static final int BUFFER_BYTES = 4096; // holds any one event: 16 + NAME_MAX + 1
  private static final int HEADER_BYTES = 16;

  private static final long INIT1 = Native.function("inotify_init1");
  private static final long ADD_WATCH = Native.function("inotify_add_watch");
  private static final long RM_WATCH = Native.function("inotify_rm_watch");

  /**
   * Something happened.
   *
   * @param watch what {@link #watch} returned
   * @param mask which kind of thing
   * @param name the file in a watched directory, or an empty string
   */
  public record Event(int watch, int mask, String name) {}

  private final Fd fd;

  private Inotify(Fd fd) {
    this.fd = fd;
  }

  public static Inotify open() throws ErrnoException {
    int result = Native.callInt(INIT1, IN_CLOEXEC | IN_NONBLOCK);
    return new Inotify(new Fd(ErrnoException.check("inotify_init1", result)));
  }

  /** Watches {@code path} for the kinds in {@code mask}; ENOENT when it does not exist, ENOSPC at the user's limit. */
  public int watch(Path path, int mask) throws ErrnoException {
    try (var arena = Arena.forStrings(path.toString())) {
      int result = Native.callInt(ADD_WATCH, fd.number(), arena.string(path.toString()), mask);
      return ErrnoException.check("inotify_add_watch " + path, result);
    }
  }

  /**
   * Ends a watch, after which {@link #IGNORED} is told; does nothing when it has ended. Any thread may, as long as
   * this is not closed meanwhile.
   */
  public void unwatch(int watch) throws ErrnoException {
    int result = Native.callInt(RM_WATCH, fd.number(), watch);
    ErrnoException.check("inotify_rm_watch", result == -Errno.EINVAL ? 0 : result);
  }

  /** Waits until something has happened and returns all that has. */
  public List<Event> take() throws IOException, InterruptedException {
    byte[] bytes = new byte[BUFFER_BYTES];
    int length = fd.read(bytes);
    var buffer = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.nativeOrder());
    var events = new ArrayList<Event>();
    while (buffer.remaining() >= HEADER_BYTES) {
      int watch = buffer.getInt();
      int mask = buffer.getInt();
      buffer.getInt(); // cookie
      int nameBytes = buffer.getInt();
      String name = new String(bytes, buffer.position(), nameBytes, StandardCharsets.UTF_8);
      buffer.position(buffer.position() + nameBytes);
      int end = name.indexOf('\0');
      events.add(new Event(watch, mask, end < 0 ? name : name.substring(0, end)));
    }
    return events;
  }

  @Override
  public void close() {
    fd.close();
  }
}
