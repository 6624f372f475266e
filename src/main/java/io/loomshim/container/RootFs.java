package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Mounts;
import io.loomshim.proto.types.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** The root file system of a container: what is mounted on its directory, in order. */
record RootFs(Path directory, List<Mount> mounts) {
  /** Makes the directory if need be and mounts everything; what was mounted stays when a later one fails. */
  void mount() throws IOException, InterruptedException {
    if (mounts.isEmpty()) {
      return;
    }
    if (!Files.isDirectory(directory)) {
      Files.createDirectory(
          directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
    }
    for (Mount mount : mounts) {
      try {
        Mounts.mount(mount.getType(), mount.getSource(), target(mount), mount.getOptionsList());
      } catch (IOException e) {
        throw new StatusException(
            Code.UNKNOWN,
            "failed to mount rootfs component &{" + mount.getType() + " " + mount.getSource() + " ["
                + String.join(" ", mount.getOptionsList()) + "]}: " + why(e),
            e);
      }
    }
  }

  /** A mount's own target is a path inside the root file system. */
  private Path target(Mount mount) throws IOException {
    return mount.getTarget().isEmpty() ? directory : InRoot.resolve(directory, mount.getTarget());
  }

  private static String why(IOException e) {
    return e instanceof ErrnoException errno ? errno.reason() : e.getMessage();
  }

  /** Unmounts everything again; nothing mounted is fine. */
  void unmount() throws IOException, InterruptedException {
    if (!mounts.isEmpty()) {
      Mounts.unmountAll(directory);
    }
  }
}
