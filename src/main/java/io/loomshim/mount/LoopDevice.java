package io.loomshim.mount;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.MountCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A file attached to a loop device (loop(4)) that the kernel frees again once it is neither open nor
 * mounted. This keeps it open: to be closed when it has been mounted. Used by one thread.
 */
final class LoopDevice implements AutoCloseable {
  /** The mount option that asks for one, and the one for a device that does without the page cache. */
  static final String OPTION = "loop";

  static final String DIRECT_OPTION = "direct-io";

  /** How often a free device may be taken by another process before it can be configured. */
  private static final int TRIES_MAX = 100;

  private final String path;
  private final Fd device;

  private LoopDevice(String path, Fd device) {
    this.path = path;
    this.device = device;
  }

  /**
   * Attaches {@code file}.
   *
   * @param direct whether reads and writes pass by the page cache
   * @throws ErrnoException of open(2) for the file or the device, or {@code configure loop device …}
   */
  static LoopDevice attach(String file, boolean readOnly, boolean direct) throws IOException {
    int access = readOnly ? Fd.O_RDONLY : Fd.O_RDWR;
    byte[] name = file.getBytes(StandardCharsets.UTF_8);
    // O_NONBLOCK: a fifo in its place must not hold us up
    try (Fd backing = Fd.open(file, access | Fd.O_NONBLOCK, 0);
        Fd control = Fd.open("/dev/loop-control", Fd.O_RDWR, 0)) {
      for (int tries = 1; ; tries++) {
        int number = MountCalls.freeLoopDevice(control);
        String path = "/dev/loop" + ErrnoException.check("find a free loop device", number);
        Fd device = Fd.open(path, access, 0);
        int result = MountCalls.configureLoopDevice(device, backing, name, flags(readOnly, direct));
        if (result == 0) {
          return new LoopDevice(path, device);
        }
        device.close();
        if (result != -Errno.EBUSY || tries == TRIES_MAX) {
          throw new ErrnoException("configure loop device " + path + " for " + file, -result);
        }
      }
    }
  }

  private static int flags(boolean readOnly, boolean direct) {
    return MountCalls.LO_FLAGS_AUTOCLEAR | (readOnly ? MountCalls.LO_FLAGS_READ_ONLY : 0)
        | (direct ? MountCalls.LO_FLAGS_DIRECT_IO : 0);
  }

  /** The device, to be mounted while this is open. */
  String path() {
    return path;
  }

  @Override
  public void close() {
    device.close();
  }
}
