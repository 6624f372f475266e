package io.loomshim.linux;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** mount(2) and umount(2). A call holds its carrier for as long as the kernel takes. */
public final class Mounts {
  /** How long an unmount of something busy is tried again, and how often in that time. */
  public static final Duration BUSY_WAIT_MAX = Duration.ofMillis(2500);

  private static final Duration BUSY_PAUSE = Duration.ofMillis(50);
  private static final int UMOUNT_NOFOLLOW = 8;

  private static final long MOUNT = Native.function("mount");
  private static final long UMOUNT2 = Native.function("umount2");

  private Mounts() {}

  /** mount(2). */
  public static void mount(String source, String target, String type, long flags, String data)
      throws ErrnoException {
    try (var arena = Arena.forStrings(source, target, type, data)) {
      long dataAddress = data.isEmpty() ? 0 : arena.string(data);
      int result =
          Native.callInt(
              MOUNT, arena.string(source), arena.string(target), arena.string(type), flags, dataAddress, 0);
      ErrnoException.check("mount " + target, result);
    }
  }

  /**
   * Unmounts everything at and under {@code directory}, deepest first, each as often as something is
   * mounted on it. Nothing there is fine, a missing directory too.
   *
   * @throws ErrnoException {@code failed to unmount target PATH: …}; EBUSY only after {@link #BUSY_WAIT_MAX}
   */
  public static void unmountAll(Path directory) throws IOException, InterruptedException {
    Deadline deadline = Deadline.in(BUSY_WAIT_MAX);
    for (String point : MountTable.under(directory)) {
      unmount(point, deadline);
    }
  }

  private static void unmount(String point, Deadline deadline) throws ErrnoException, InterruptedException {
    while (true) {
      int result;
      try (var arena = Arena.forStrings(point)) {
        result = Native.callInt(UMOUNT2, arena.string(point), UMOUNT_NOFOLLOW, 0, 0, 0, 0);
      }
      if (result == 0 || result == -Errno.EINVAL || result == -Errno.ENOENT) {
        return; // EINVAL: not a mount point any more
      }
      if (result != -Errno.EBUSY || deadline.passed()) {
        throw new ErrnoException("failed to unmount target " + point, -result);
      }
      Thread.sleep(BUSY_PAUSE);
    }
  }
}
