package io.loomshim.mount;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.MountCalls;
import io.loomshim.process.Child;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** mount(2) and umount(2). They may wait for file systems of any kind: to be called within {@link Aside} steps. */
public final class Mounts {
  /** How long an unmount of something busy is tried again, and how often in that time. */
  public static final Duration BUSY_WAIT_MAX = Duration.ofMillis(2500);

  private static final int PAGE_BYTES = 4096; // what mount(2) takes; larger pages do not raise it for a caller
  private static final Duration BUSY_PAUSE = Duration.ofMillis(50);

  private Mounts() {}

  /** Whether a program mounts file systems of this type, for whose end {@link #mount} waits: not within a step. */
  public static boolean hasHelper(String type) {
    return MountHelper.serves(type);
  }

  /**
   * Mounts what the options in the words of fstab(5) say. Options of an overlay that do not fit into a page
   * are shortened with the help of a thread that works in the directory that its layers share.
   *
   * <p>A file system of a type {@code fuse.NAME} or {@code fuse3.NAME} is mounted by its helper program, which gets
   * {@code environment}. With the option {@code loop} the source is a file, which is attached to a loop device for as
   * long as it is mounted. With {@code uidmap=} and {@code gidmap=} the owners of files are mapped
   * ({@link MappedMount}); helper programs have such words of their own.
   *
   * @throws IOException {@code mount options is too long}, the helper's words, what mapped ids lack here, or the error
   *     of mount(2)
   */
  public static void mount(String type, String source, Path target, List<String> options, List<String> environment)
      throws IOException, InterruptedException {
    mount(type, source, target, options, environment, Mounts::unwatched);
  }

  /** Is told of a helper that runs, and has the returned action run once it has ended. */
  public interface Watch {
    Runnable began(Child helper);
  }

  private static Runnable unwatched(Child helper) {
    return Mounts::nothing;
  }

  private static void nothing() {
    // no one else wants to know
  }

  /** The same, and {@code watch} is told of the helper. */
  public static void mount(String type, String source, Path target, List<String> options, List<String> environment,
      Watch watch) throws IOException, InterruptedException {
    if (MountHelper.serves(type)) {
      MountHelper.mount(type, source, target, options, environment, watch);
      return;
    }
    assert Aside.allowed();
    if (options.contains(LoopDevice.OPTION)) {
      var others = new ArrayList<>(options);
      others.removeAll(List.of(LoopDevice.OPTION, LoopDevice.DIRECT_OPTION));
      boolean readOnly = MountOptions.parse(others, PAGE_BYTES).has(MountCalls.MS_RDONLY);
      try (var loop = LoopDevice.attach(source, readOnly, options.contains(LoopDevice.DIRECT_OPTION))) {
        mountPlain(type, loop.path(), target, others);
      }
    } else {
      mountPlain(type, source, target, options);
    }
  }

  /** The same for a type that needs no program. */
  static void mount(String type, String source, Path target, List<String> options)
      throws IOException, InterruptedException {
    mount(type, source, target, options, List.of());
  }

  private static void mountPlain(String type, String source, Path target, List<String> options)
      throws IOException, InterruptedException {
    Optional<IdMapping> mapping = IdMapping.of(options);
    if (mapping.isPresent()) {
      MappedMount.mount(type, source, target, IdMapping.without(options), mapping.get(), PAGE_BYTES);
    } else {
      mountUnmapped(type, source, target, options);
    }
  }

  private static void mountUnmapped(String type, String source, Path target, List<String> options)
      throws IOException, InterruptedException {
    OverlayOptions overlay = OverlayOptions.compact(type, options, PAGE_BYTES);
    MountOptions parsed = MountOptions.parse(overlay.options(), PAGE_BYTES);
    if (overlay.directory().isPresent()) {
      Path directory = overlay.directory().get();
      InDirectory.run(directory, () -> mount(source, target.toString(), type, parsed.flags(), parsed.data()));
    } else if (!parsed.changesNothing()) {
      mount(source, target.toString(), type, parsed.flags(), parsed.data());
    }
    if (parsed.needsReadOnlyRemount()) {
      mount("", target.toString(), "", parsed.flags() | MountCalls.MS_REMOUNT, "");
    }
  }

  /** mount(2); the error is {@code mount TARGET: …}. */
  static void mount(String source, String target, String type, long flags, String data)
      throws ErrnoException {
    ErrnoException.check("mount " + target, MountCalls.mount(source, target, type, flags, data));
  }

  /**
   * Unmounts everything at and under {@code directory}, deepest first, each as often as something is
   * mounted on it. Nothing there is fine, a missing directory too. Symbolic links on the way to it are followed, as
   * they were when something was mounted; one in its place is not.
   *
   * @throws ErrnoException {@code failed to unmount target PATH: …}; EBUSY only after {@link #BUSY_WAIT_MAX}
   */
  public static void unmountAll(Path directory) throws IOException, InterruptedException {
    assert Aside.allowed();
    Deadline deadline = Deadline.in(BUSY_WAIT_MAX);
    for (MountTable.Entry entry : MountTable.under(real(directory))) {
      unmount(entry.point(), deadline);
    }
  }

  /** The name that the mount table has for it. Nothing is asked of what is mounted there: its server may be dead. */
  private static Path real(Path directory) throws IOException {
    Path parent = directory.toAbsolutePath().getParent();
    if (parent == null || !Files.exists(parent)) {
      return directory;
    }
    return parent.toRealPath().resolve(directory.getFileName());
  }

  private static void unmount(String point, Deadline deadline) throws ErrnoException, InterruptedException {
    while (true) {
      int result = MountCalls.unmount(point);
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
