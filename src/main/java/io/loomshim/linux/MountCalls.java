package io.loomshim.linux;

/**
 * Mounts and loop devices, as the kernel has them. A method returns 0 or a number, or a negative error number. They may
 * wait for file systems of any kind.
 */
public final class MountCalls {
  // mount(2): flags of #mount
  public static final long MS_RDONLY = 1;
  public static final long MS_NOSUID = 2;
  public static final long MS_NODEV = 4;
  public static final long MS_NOEXEC = 8;
  public static final long MS_SYNCHRONOUS = 16;
  public static final long MS_REMOUNT = 32;
  public static final long MS_MANDLOCK = 64;
  public static final long MS_DIRSYNC = 128;
  public static final long MS_NOATIME = 1024;
  public static final long MS_NODIRATIME = 2048;
  public static final long MS_BIND = 4096;
  public static final long MS_REC = 16384;
  public static final long MS_RELATIME = 1 << 21;
  public static final long MS_PRIVATE = 1 << 18;
  public static final long MS_STRICTATIME = 1 << 24;

  /** Of {@link #configureLoopDevice}: it cannot be written (loop(4)). */
  public static final int LO_FLAGS_READ_ONLY = 1;

  /** The kernel frees the device once it is neither open nor mounted. */
  public static final int LO_FLAGS_AUTOCLEAR = 4;

  /** Reads and writes pass by the page cache. */
  public static final int LO_FLAGS_DIRECT_IO = 16;

  // umount(2)
  private static final int MNT_DETACH = 2;
  private static final int UMOUNT_NOFOLLOW = 8;
  private static final int CLONE_FS = 0x200; // unshare(2)

  // linux/loop.h
  private static final int LOOP_CTL_GET_FREE = 0x4C82;
  private static final int LOOP_CONFIGURE = 0x4C0A;
  // struct loop_config { u32 fd; u32 block_size; struct loop_info64 info; u64 reserved[8]; }
  private static final int CONFIG_BYTES = 304;
  private static final int FLAGS_OFFSET = 8 + 52;
  private static final int NAME_OFFSET = 8 + 56;
  private static final int NAME_BYTES_MAX = 63;

  private static final long MOUNT = Native.function("mount");
  private static final long UMOUNT2 = Native.function("umount2");
  private static final long UNSHARE = Native.function("unshare");
  private static final long CHDIR = Native.function("chdir");
  private static final long IOCTL = Native.function("ioctl");

  private MountCalls() {}

  /**
   * mount(2).
   *
   * @param flags MS_… bits
   * @param data the options of the file system; an empty one is given as a null pointer
   */
  public static int mount(String source, String target, String type, long flags, String data) {
    try (var arena = Arena.forStrings(source, target, type, data)) {
      long options = data.isEmpty() ? 0 : arena.string(data);
      return Native.callInt(MOUNT, arena.string(source), arena.string(target), arena.string(type), flags, options);
    }
  }

  /** Unmounts what is mounted at {@code point}, which is not followed if it is a symbolic link (umount2(2)). */
  public static int unmount(String point) {
    try (var arena = Arena.forStrings(point)) {
      return Native.callInt(UMOUNT2, arena.string(point), UMOUNT_NOFOLLOW);
    }
  }

  /** The same with all that is mounted below it, and without waiting for those that use it (umount2(2), MNT_DETACH). */
  public static int detach(String point) {
    try (var arena = Arena.forStrings(point)) {
      return Native.callInt(UMOUNT2, arena.string(point), UMOUNT_NOFOLLOW | MNT_DETACH);
    }
  }

  /** Gives the calling OS thread a working directory of its own from now on (unshare(2), CLONE_FS). */
  public static int unshareWorkingDirectory() {
    return Native.callInt(UNSHARE, CLONE_FS);
  }

  /** Changes the working directory (chdir(2)): the process's, or the one that the OS thread does not share. */
  public static int changeDirectory(String directory) {
    try (var arena = Arena.forStrings(directory)) {
      return Native.callInt(CHDIR, arena.string(directory));
    }
  }

  /** The number of a loop device that is free, made if there is none (loop(4), LOOP_CTL_GET_FREE). */
  public static int freeLoopDevice(Fd control) {
    return Native.callInt(IOCTL, control.number(), LOOP_CTL_GET_FREE, 0);
  }

  /**
   * Attaches {@code backing} to the loop device {@code device} (loop(4), LOOP_CONFIGURE); EBUSY when it has been taken.
   *
   * @param name shown to users, cut off where it is long
   */
  public static int configureLoopDevice(Fd device, Fd backing, byte[] name, int flags) {
    try (var arena = new Arena(CONFIG_BYTES)) {
      long config = arena.bytes(CONFIG_BYTES);
      Native.MEMORY.putInt(config, backing.number());
      Native.MEMORY.putInt(config + FLAGS_OFFSET, flags);
      Native.MEMORY.putByteArray(config + NAME_OFFSET, name, 0, Math.min(name.length, NAME_BYTES_MAX));
      return Native.callInt(IOCTL, device.number(), LOOP_CONFIGURE, config);
    }
  }
}
