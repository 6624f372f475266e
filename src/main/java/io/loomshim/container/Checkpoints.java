package io.loomshim.container;

import io.loomshim.errors.StatusException;
import io.loomshim.linux.Aside;
import io.loomshim.linux.WholeFile;
import io.loomshim.log.Log;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import io.loomshim.stdio.StreamFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Saves a container with CRIU. Called with the container's {@code operations} lock held.
 *
 * <p>Streams are pipes, which runc gives anew on a restore; {@link CriuImage} sees to their names.
 */
record Checkpoints(String id, Bundle bundle, Runc runc) {
  /**
   * Writes the image.
   *
   * @param streams what the init process has as standard streams
   * @throws StatusException UNKNOWN with the first line of the error and where CRIU's log is
   */
  void save(CheckpointSpec spec, List<StreamFile> streams) throws IOException, InterruptedException {
    Path work = spec.work().orElse(bundle.criuWork());
    boolean failed = false;
    try {
      runc.run(command(spec, work));
    } catch (RuncException e) {
      failed = true;
      String first = e.text().lines().findFirst().orElse("");
      throw new StatusException(e.code(), first + " path= " + bundle.criuLog(), e);
    } finally {
      leave(work, failed, spec.work().isEmpty());
    }
    Aside.run("change " + spec.image(), () -> {
      new CriuImage(spec.image()).inherit(streams);
      return spec;
    });
  }

  private RuncCommand command(CheckpointSpec spec, Path work) {
    return new RuncCommand.Checkpoint(
        id,
        Optional.of(spec.image()),
        Optional.of(work),
        spec.openTcp(),
        spec.externalUnixSockets(),
        spec.terminal(),
        spec.fileLocks(),
        spec.emptyNamespaces(),
        !spec.exit());
  }

  private void leave(Path work, boolean keepsLog, boolean removesWork) {
    if (!keepsLog && !removesWork) {
      return;
    }
    Aside.finish("leave " + work, () -> {
      if (keepsLog) {
        keepLog(work);
      }
      if (removesWork) {
        removeWork();
      }
    });
  }

  private void keepLog(Path work) {
    try {
      WholeFile.copy(work.resolve("dump.log"), bundle.criuLog());
    } catch (IOException e) {
      Log.error("CRIU's log not kept", "id", id, "error", String.valueOf(e.getMessage()));
    }
  }

  /** CRIU leaves plain files there. */
  private void removeWork() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(bundle.criuWork())) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(bundle.criuWork());
    } catch (IOException e) {
      Log.debug("CRIU's directory not removed", "id", id, "error", String.valueOf(e.getMessage()));
    }
  }
}
