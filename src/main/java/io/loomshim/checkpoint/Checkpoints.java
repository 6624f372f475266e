package io.loomshim.checkpoint;

import io.loomshim.errors.StatusException;
import io.loomshim.linux.WholeFile;
import io.loomshim.log.Log;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import io.loomshim.stdio.StreamFile;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Saves a container with CRIU, by runc's command {@code checkpoint}. Called with the container's {@code operations}
 * lock held.
 *
 * <p>Streams are pipes, which runc gives anew on a restore; {@link CriuImage} sees to their names.
 */
public record Checkpoints(Path criuWork, Path criuLog, Runc runc) {
  private static final String NO_LOG =
      " (CRIU has written no log: is criu installed, and in the PATH of containerd?)";

  /**
   * Writes the image.
   *
   * @param streams what the init process has as standard streams
   * @throws StatusException UNKNOWN with the first line of the error and where CRIU's log is, if it has written one
   */
  public void save(CheckpointSpec spec, List<StreamFile> streams) throws IOException, InterruptedException {
    Path work = spec.work().orElse(criuWork);
    boolean logged = false;
    try {
      runc.checkpoint(command(spec, work));
    } catch (RuncException e) {
      logged = logged(work);
      String first = e.text().lines().findFirst().orElse("");
      throw new StatusException(e.code(), first + (logged ? " path= " + criuLog : NO_LOG), e);
    } finally {
      leave(work, logged, spec.work().isEmpty());
    }
    Aside.run("change " + spec.image(), () -> {
      new CriuImage(spec.image()).inherit(streams);
      return spec;
    });
  }

  private RuncCommand.Checkpoint command(CheckpointSpec spec, Path work) {
    return new RuncCommand.Checkpoint(
        runc.id(),
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

  private static boolean logged(Path work) throws IOException, InterruptedException {
    return Aside.run("look for the log in " + work, () -> Files.exists(work.resolve("dump.log")));
  }

  private void keepLog(Path work) {
    try {
      WholeFile.copy(work.resolve("dump.log"), criuLog);
    } catch (IOException e) {
      Log.error("failed to keep CRIU's log", "id", runc.id(), "error", String.valueOf(e.getMessage()));
    }
  }

  /** CRIU leaves plain files there. */
  private void removeWork() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(criuWork)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(criuWork);
    } catch (IOException e) {
      Log.debug("failed to remove CRIU's directory", "id", runc.id(), "error", String.valueOf(e.getMessage()));
    }
  }
}
