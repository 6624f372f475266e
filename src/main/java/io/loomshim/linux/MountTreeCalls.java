package io.loomshim.linux;

/**
 * Mounts that are made before they have a place: open_tree(2), mount_setattr(2), move_mount(2). A method returns 0 or a
 * descriptor, or a negative error number. Until {@link #attach}, what {@link #copy} has made is no part of any mount
 * namespace, and is gone when its descriptor is closed. They may wait for file systems of any kind. Stateless.
 */
public final class MountTreeCalls {
  /** Of {@link #mapIds}: nothing can be written through it (mount_setattr(2)). */
  public static final long MOUNT_ATTR_RDONLY = 1;

  private static final long MOUNT_ATTR_IDMAP = 0x0010_0000;

  // asm-generic/unistd.h; x86_64 has the same numbers for calls as new as these
  private static final int SYS_OPEN_TREE = 428;
  private static final int SYS_MOVE_MOUNT = 429;
  private static final int SYS_MOUNT_SETATTR = 442;

  // fcntl.h, linux/mount.h
  private static final int AT_FDCWD = -100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int AT_RECURSIVE = 0x8000;
  private static final int OPEN_TREE_CLONE = 1;
  private static final int OPEN_TREE_CLOEXEC = 02000000;
  private static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
  private static final int MOVE_MOUNT_T_SYMLINKS = 0x10;

  // struct mount_attr { u64 attr_set; u64 attr_clr; u64 propagation; u64 userns_fd; }
  private static final int ATTR_BYTES = 32;
  private static final int NAMESPACE_OFFSET = 24;

  private static final long SYSCALL = Native.function("syscall");

  private MountTreeCalls() {}

  /**
   * A copy of the mount that {@code path} is in, with {@code path} as its root (Linux 5.2).
   *
   * @param recursive whether the mounts below {@code path} are copied too
   * @return a descriptor, not to be inherited
   */
  public static int copy(String path, boolean recursive) {
    try (var arena = Arena.forStrings(path)) {
      int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
      return Native.callInt(SYSCALL, SYS_OPEN_TREE, AT_FDCWD, arena.string(path), flags);
    }
  }

  /**
   * Maps the owners of files as the user namespace maps its ids: what an id inside owns on the disk, the id outside
   * owns in this mount (Linux 5.12). EINVAL when the file system cannot do that, or the namespace has no ids; EPERM
   * when the mount maps ids already.
   *
   * @param tree what {@link #copy} has made and is nowhere attached
   * @param attributes 0 or {@link #MOUNT_ATTR_RDONLY}
   */
  public static int mapIds(Fd tree, Fd userNamespace, long attributes, boolean recursive) {
    try (var arena = new Arena(ATTR_BYTES + Arena.stringSize(""))) {
      long attr = arena.bytes(ATTR_BYTES);
      Native.MEMORY.putLong(attr, MOUNT_ATTR_IDMAP | attributes);
      Native.MEMORY.putLong(attr + NAMESPACE_OFFSET, userNamespace.number());
      int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
      return Native.callInt(SYSCALL, SYS_MOUNT_SETATTR, tree.number(), arena.string(""), flags, attr, ATTR_BYTES);
    }
  }

  /** Gives the mount its place, on top of what is mounted there; symbolic links are followed, as by mount(2). */
  public static int attach(Fd tree, String target) {
    try (var arena = Arena.forStrings("", target)) {
      int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;
      long[] paths = {arena.string(""), arena.string(target)};
      return Native.callInt(SYSCALL, SYS_MOVE_MOUNT, tree.number(), paths[0], AT_FDCWD, paths[1], flags);
    }
  }
}
