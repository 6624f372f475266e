package io.loomshim.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A file attached to a loop device (loop(4)) that the kernel frees again once nobody has it open and nothing of it is
 * mounted. This keeps it open: to be closed when it has been mounted. Used by one thread.
 */
final class LoopDevice implements AutoCloseable {
  /** The mount option that asks for one, and the one for a device that does without the page cache. */
  static final String OPTION = "loop";

  static final String DIRECT_OPTION = "direct-io";

  /** How often a free device may be taken by somebody else before it can be configured. */
  private static final int TRIES_MAX = 100;

  // linux/loop.h
  private static final int LOOP_CTL_GET_FREE = 0x4C82;
  private static final int LOOP_CONFIGURE = 0x4C0A;
  private static final int FLAG_READ_ONLY = 1;
  private static final int FLAG_AUTOCLEAR = 4;
  private static final int FLAG_DIRECT_IO = 16;

  // struct loop_config { u32 fd; u32 block_size; struct loop_info64 info; u64 reserved[8]; }
  private static final int CONFIG_BYTES = 304;
  private static final int FLAGS_OFFSET = 8 + 52;
  private static final int NAME_OFFSET = 8 + 56;
  private static final int NAME_BYTES_MAX = 63;

  private static final long IOCTL = Native.function("ioctl");

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
    // O_NONBLOCK: a fifo in its place must not hold us up
    try (Fd backing = Fd.open(file, access | Fd.O_NONBLOCK, 0);
        Fd control = Fd.open("/dev/loop-control", Fd.O_RDWR, 0)) {
      for (int tries = 1; ; tries++) {
        int number = Native.callInt(IOCTL, control.number(), LOOP_CTL_GET_FREE, 0, 0, 0, 0);
        String path = "/dev/loop" + ErrnoException.check("find a free loop device", number);
        Fd device = Fd.open(path, access, 0);
        int result = configure(device, backing, file, flags(readOnly, direct));
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
    return FLAG_AUTOCLEAR | (readOnly ? FLAG_READ_ONLY : 0) | (direct ? FLAG_DIRECT_IO : 0);
  }

  private static int configure(Fd device, Fd backing, String file, int flags) {
    byte[] name = file.getBytes(StandardCharsets.UTF_8); // shown to users, cut off where it is long
    try (var arena = new Arena(CONFIG_BYTES)) {
      long config = arena.bytes(CONFIG_BYTES);
      Native.MEMORY.putInt(config, backing.number());
      Native.MEMORY.putInt(config + FLAGS_OFFSET, flags);
      Native.MEMORY.putByteArray(config + NAME_OFFSET, name, 0, Math.min(name.length, NAME_BYTES_MAX));
      return Native.callInt(IOCTL, device.number(), LOOP_CONFIGURE, config, 0, 0, 0);
    }
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
