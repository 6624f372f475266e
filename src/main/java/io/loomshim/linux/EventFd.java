package io.loomshim.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A counter in the kernel that something adds to and one thread waits for (eventfd(2)). */
public final class EventFd implements AutoCloseable {
  // eventfd(2)
  private static final int EFD_NONBLOCK = 04000;
  private static final int EFD_CLOEXEC = 02000000;
  private static final int COUNTER_BYTES = 8;
  private static final long EVENTFD = Native.function("eventfd");

  private final Fd fd;

  private EventFd(Fd fd) {
    this.fd = fd;
  }

  public static EventFd open() throws ErrnoException {
    int result = Native.callInt(EVENTFD, 0, EFD_CLOEXEC | EFD_NONBLOCK);
    return new EventFd(new Fd(ErrnoException.check("eventfd", result)));
  }

  /** The descriptor, for a thread that waits for many; it stays this object's. */
  public Fd fd() {
    return fd;
  }

  /** Adds one. */
  public void signal() {
    byte[] one = ByteBuffer.allocate(COUNTER_BYTES).order(ByteOrder.nativeOrder()).putLong(1).array();
    try {
      fd.tryWrite(one, 0, one.length);
    } catch (ErrnoException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Sets the counter to zero without waiting. */
  public void clear() {
    try {
      fd.tryRead(new byte[COUNTER_BYTES]);
    } catch (ErrnoException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The descriptor's number, for whatever registers it with the kernel. */
  public int number() {
    return fd.number();
  }

  /** Waits until the counter is not zero, and sets it to zero; returns what it was. */
  public long await() throws IOException, InterruptedException {
    var counter = new byte[COUNTER_BYTES];
    fd.read(counter);
    return ByteBuffer.wrap(counter).order(ByteOrder.nativeOrder()).getLong();
  }

  @Override
  public void close() {
    fd.close();
  }
}
