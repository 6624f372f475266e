package io.loomshim.linux;

/** A pipe(7). Both ends are closed on exec and blocking at first. */
public record Pipe(Fd reader, Fd writer) implements AutoCloseable {
  private static final int O_CLOEXEC = 02000000; // pipe(2)
  private static final long PIPE2 = Native.function("pipe2");

  /** Makes a pipe; fails with EMFILE or ENFILE when there are no descriptors left. */
  public static Pipe open() throws ErrnoException {
    try (var arena = new Arena(8)) {
      long fds = arena.bytes(8);
      ErrnoException.check("pipe", Native.callInt(PIPE2, fds, O_CLOEXEC));
      return new Pipe(new Fd(Native.MEMORY.getInt(fds)), new Fd(Native.MEMORY.getInt(fds + 4)));
    }
  }

  @Override
  public void close() {
    reader.close();
    writer.close();
  }
}
