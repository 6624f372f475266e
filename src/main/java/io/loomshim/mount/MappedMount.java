package io.loomshim.mount;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.MountCalls;
import io.loomshim.linux.MountTreeCalls;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * An id-mapped mount (mount_setattr(2)), whose files have other owners than on the disk. The kernel maps the ids of a
 * mount only before that has a place. So the target has the mount with mapped ids or none, and of a failure nothing is
 * left. For steps of {@link Aside}.
 */
final class MappedMount {
  private MappedMount() {}

  /**
   * Mounts with the ids mapped as {@code mapping} says; an overlay has its layers mapped instead of itself.
   *
   * @param options without those of the mapping
   * @param pageBytes how many bytes of data mount(2) takes
   * @throws IOException a sentence that says what the kernel, the file system or the mapping lacks, or mount(2)'s error
   */
  static void mount(String type, String source, Path target, List<String> options, IdMapping mapping, int pageBytes)
      throws IOException, InterruptedException {
    assert Aside.allowed();
    boolean overlay = type.equals("overlay");
    // the names of an overlay's layers may take more than a page, and get others
    List<String> all = overlay ? MappedOverlay.numbered(options) : options;
    MountOptions parsed = MountOptions.parse(all, pageBytes);
    if (parsed.has(MountCalls.MS_REMOUNT)) {
      throw new IOException("a remount cannot map ids (" + mapping + ")");
    }
    try (Fd namespace = UserNamespace.open(mapping)) {
      if (overlay) {
        MappedOverlay.mount(source, target.toString(), MappedOverlay.layers(options), parsed, namespace);
      } else if (parsed.has(MountCalls.MS_BIND)) {
        bind(source, target.toString(), parsed, namespace);
      } else {
        other(type, source, target.toString(), parsed, namespace);
      }
    }
  }

  private static void bind(String source, String target, MountOptions options, Fd namespace) throws IOException {
    long attributes = options.needsReadOnlyRemount() ? MountTreeCalls.MOUNT_ATTR_RDONLY : 0;
    try (Fd tree = copy(source, namespace, attributes, options.has(MountCalls.MS_REC))) {
      attach(tree, target);
    }
    if (options.needsReadOnlyRemount()) { // for its other flags
      try {
        Mounts.mount("", target, "", options.flags() | MountCalls.MS_REMOUNT, "");
      } catch (ErrnoException e) {
        MountCalls.detach(target);
        throw e;
      }
    }
  }

  /** It is mounted at its target first, for there is no other way that takes the options as mount(2) does. */
  private static void other(String type, String source, String target, MountOptions options, Fd namespace)
      throws IOException {
    Mounts.mount(source, target, type, options.flags(), options.data());
    try (Fd tree = copyOnly(target, namespace)) {
      attach(tree, target);
    }
  }

  /** A copy with mapped ids of what is mounted at {@code target}, which is not mounted there afterwards. */
  private static Fd copyOnly(String target, Fd namespace) throws IOException {
    try {
      return copy(target, namespace, 0, false);
    } finally {
      MountCalls.detach(target); // if that fails, the copy covers it, and both go with the container
    }
  }

  /** A copy with mapped ids of the mount that {@code path} is in, from {@code path} on; its place is still open. */
  static Fd copy(String path, Fd namespace, long attributes, boolean recursive) throws IOException {
    Fd tree = copy(path, recursive);
    int result = MountTreeCalls.mapIds(tree, namespace, attributes, recursive);
    if (result < 0) {
      tree.close();
      throw unmappable(path, -result);
    }
    return tree;
  }

  /** The same with the ids that it has. */
  static Fd copy(String path, boolean recursive) throws IOException {
    int result = MountTreeCalls.copy(path, recursive);
    if (result == -Errno.ENOSYS) {
      throw unmappable(path, -result);
    }
    if (result < 0) {
      throw new MappedMountException("open_tree " + path + ": " + Errno.text(-result), -result);
    }
    return new Fd(result);
  }

  /** Gives a copy its place. */
  static void attach(Fd tree, String target) throws IOException {
    int result = MountTreeCalls.attach(tree, target);
    if (result < 0) {
      throw new MappedMountException("move_mount to " + target + ": " + Errno.text(-result), -result);
    }
  }

  private static IOException unmappable(String path, int errno) throws IOException {
    String why = switch (errno) {
      case Errno.ENOSYS -> "Linux 5.12 or newer is needed, this is " + Kernel.release();
      case Errno.EINVAL -> "Linux " + Kernel.release() + " cannot do that on " + MountTable.typeAt(Path.of(path));
      case Errno.EPERM -> "they are mapped already, or it is not permitted";
      default -> Errno.text(errno);
    };
    return new MappedMountException("ids of " + path + " cannot be mapped: " + why, errno);
  }
}
