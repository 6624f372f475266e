package io.loomshim.linux;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads, writes and removes small files with as few system calls as that takes. The JDK makes twice as many, and a
 * dozen objects, for channels and attributes that nothing here needs. The errors have numbers. Stateless; a path that a
 * client has chosen is for steps of {@link io.loomshim.threads.Aside}.
 */
public final class SmallFile {
  /** Read at once: enough for all but lists of many processes. */
  private static final int FIRST_BYTES = 4096;

  private static final int O_EXCL = 0200; // open(2)
  private static final int OWNER_ONLY = 0600;

  private static final long UNLINK = Native.function("unlink");

  private SmallFile() {}

  /**
   * The whole text; of files too that tell no size, as those of cgroups and of /proc.
   *
   * @throws ErrnoException {@code open PATH: …}, {@code read: …}; of a cgroup that is gone ENOENT or ENODEV
   */
  public static String text(String path) throws ErrnoException {
    int size = FIRST_BYTES;
    try (Fd file = Fd.open(path, Fd.O_RDONLY, 0)) {
      byte[] bytes = new byte[0];
      while (true) {
        byte[] more = read(file, size);
        if (more.length == 0) {
          return new String(bytes, StandardCharsets.UTF_8);
        }
        int before = bytes.length;
        bytes = before == 0 ? more : Arrays.copyOf(bytes, before + more.length);
        System.arraycopy(more, 0, bytes, before, more.length);
        size = Math.max(size, bytes.length); // a list that is long gets longer
      }
    }
  }

  /**
   * Makes a file that only its owner may read, in the place of what is there. When that fails, nothing is there.
   *
   * @throws ErrnoException {@code open PATH: …}, {@code cannot write PATH: …}
   */
  public static void writePrivate(String path, byte[] content) throws ErrnoException {
    boolean written = false;
    try (Fd file = make(path)) {
      write(file, path, content);
      written = true;
    } finally {
      if (!written) {
        unlink(path);
      }
    }
  }

  private static void write(Fd file, String path, byte[] content) throws ErrnoException {
    try {
      for (int at = 0; at < content.length; ) {
        at += file.tryWrite(content, at, content.length - at);
      }
    } catch (ErrnoException e) {
      throw new ErrnoException("cannot write " + path, e.errno());
    }
  }

  /** A new file, whoever owned what had the name. */
  private static Fd make(String path) throws ErrnoException {
    try {
      return Fd.open(path, Fd.O_WRONLY | Fd.O_CREAT | O_EXCL, OWNER_ONLY);
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EEXIST) {
        throw e;
      }
    }
    remove(path);
    return Fd.open(path, Fd.O_WRONLY | Fd.O_CREAT | O_EXCL, OWNER_ONLY);
  }

  /**
   * Removes a file, if it is there.
   *
   * @throws ErrnoException {@code remove PATH: …}
   */
  public static void remove(String path) throws ErrnoException {
    int result = unlink(path);
    if (result != -Errno.ENOENT) {
      ErrnoException.check("remove " + path, result);
    }
  }

  private static int unlink(String path) {
    try (var arena = Arena.forStrings(path)) {
      return Native.callInt(UNLINK, arena.string(path));
    }
  }

  private static byte[] read(Fd file, int size) throws ErrnoException {
    long address = Native.MEMORY.allocateMemory(size, false);
    if (address == 0) {
      throw new OutOfMemoryError("no native memory for " + size + " bytes");
    }
    try {
      int count = Math.max(0, file.readTo(address, size)); // they never lack data
      byte[] bytes = new byte[count];
      Native.MEMORY.getByteArray(address, bytes, 0, count);
      return bytes;
    } finally {
      Native.MEMORY.freeMemory(address);
    }
  }
}
