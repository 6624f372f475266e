package io.loomshim.linux;

/** A pipe(7). Both ends are closed on exec and blocking at first. */
public record Pipe(Fd reader, Fd writer) implements AutoCloseable {
  private static final int O_CLOEXEC = 02000000; // pipe(2)

  // fcntl(2)
  private static final int F_SETPIPE_SZ = 1031;
  private static final int F_GETPIPE_SZ = 1032;

  private static final long PIPE2 = Native.function("pipe2");
  private static final long FCNTL = Native.function("fcntl64");

  /** Makes a pipe; fails with EMFILE or ENFILE when there are no descriptors left. */
  public static Pipe open() throws ErrnoException {
    try (var arena = new Arena(8)) {
      long fds = arena.bytes(8);
      ErrnoException.check("pipe", Native.callInt(PIPE2, fds, O_CLOEXEC));
      return new Pipe(new Fd(Native.MEMORY.getInt(fds)), new Fd(Native.MEMORY.getInt(fds + 4)));
    }
  }

  /** Whether {@code fd} is an end of a pipe or fifo. */
  public static boolean is(Fd fd) {
    return Native.callInt(FCNTL, fd.number(), F_GETPIPE_SZ) > 0;
  }

  /** Lets the pipe of {@code fd} hold {@code bytes}, if the kernel allows it; each splice(2) takes a page of that. */
  public static void capacity(Fd fd, int bytes) {
    Native.callInt(FCNTL, fd.number(), F_SETPIPE_SZ, bytes);
  }

  @Override
  public void close() {
    reader.close();
    writer.close();
  }
}
