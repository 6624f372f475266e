package io.loomshim.container;

import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.ErrnoException;
import io.loomshim.mount.Mounts;
import io.loomshim.proto.types.Mount;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.function.Supplier;
import java.util.Optional;

/**
 * The root file system of a container: what is mounted on its directory, in order, in steps of {@link Aside}. Mounted
 * by one thread, unmounted by any that the container belongs to.
 */
final class RootFs {
  /** What a mount helper is called among the commands that are kept. */
  static final String HELPER = "mount";

  private final Path directory;
  private final List<Mount> mounts;
  private final Supplier<List<String>> environment;
  private final Mounts.Watch helpers;
  private volatile Optional<Aside<Path>> last = Optional.empty(); // of the steps that mount

  /**
   * What is to be mounted on {@code directory}.
   *
   * @param environment that of programs that mount, {@code NAME=value} each
   * @param helpers is told of such programs
   */
  RootFs(Path directory, List<Mount> mounts, Supplier<List<String>> environment, Mounts.Watch helpers) {
    this.directory = directory;
    this.mounts = List.copyOf(mounts);
    this.environment = environment;
    this.helpers = helpers;
  }

  /** Makes the directory if need be and mounts everything; what was mounted stays when a later one fails. */
  void mount() throws IOException, InterruptedException {
    for (Mount mount : mounts) {
      boolean helper = Mounts.hasHelper(mount.getType());
      String what = (helper ? "find " : "mount " + mount.getSource() + " on ") + directory;
      var step = Aside.begin(what, () -> prepare(mount, !helper), made -> Mounts.unmountAll(directory));
      last = Optional.of(step);
      Path target = step.await();
      if (helper) {
        mount(mount, target);
      }
    }
  }

  /** Finds where {@code mount} belongs, and mounts it there if {@code all}. */
  private Path prepare(Mount mount, boolean all) throws IOException, InterruptedException {
    if (!Files.isDirectory(directory)) {
      Files.createDirectory(
          directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
    }
    // a mount's own target is a path inside the root file system
    Path target = mount.getTarget().isEmpty() ? directory : InRoot.resolve(directory, mount.getTarget());
    if (all) {
      mount(mount, target);
    }
    return target;
  }

  private void mount(Mount mount, Path target) throws InterruptedException {
    try {
      Mounts.mount(mount.getType(), mount.getSource(), target, mount.getOptionsList(), environment.get(),
          helpers);
    } catch (IOException e) {
      throw new StatusException(
          Scarcity.code(e),
          "failed to mount rootfs component &{" + mount.getType() + " " + mount.getSource() + " ["
              + String.join(" ", mount.getOptionsList()) + "]}: " + why(e),
          e);
    }
  }

  private static String why(IOException e) {
    return e instanceof ErrnoException errno ? errno.reason() : e.getMessage();
  }

  /** Unmounts everything again, also what is still being mounted for a call that has ended; nothing mounted is fine. */
  void unmount() throws IOException, InterruptedException {
    if (mounts.isEmpty()) {
      return;
    }
    last.ifPresent(Aside::awaitOver);
    Aside.run("unmount " + directory, () -> {
      Mounts.unmountAll(directory);
      return directory;
    });
  }
}
