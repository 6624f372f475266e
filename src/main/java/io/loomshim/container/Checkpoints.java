package io.loomshim.container;

import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import io.loomshim.stdio.StreamFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;

/**
 * Saves a container with CRIU. Called with the container's {@code operations} lock held.
 *
 * <p>CRIU refuses files that the container cannot reach by a path, as the client's fifos are, unless it is told to
 * leave them to whoever restores. runc has no option for that, so CRIU gets it by way of the environment
 * (criu(8), CRIU_CONFIG_FILE); {@link CriuImage} sees to the restoration.
 */
record Checkpoints(String id, Bundle bundle, Runc runc) {
  private static final String CONFIG = "CRIU_CONFIG_FILE";

  /**
   * Writes the image.
   *
   * @param streams what the init process has as standard streams
   * @throws StatusException UNKNOWN with the first line of the error and where CRIU's log is
   */
  void save(CheckpointSpec spec, List<StreamFile> streams) throws IOException, InterruptedException {
    Path work = spec.work().orElse(bundle.criuWork());
    try {
      runc.run(command(spec, work), leaveOut(streams));
    } catch (RuncException e) {
      keepLog(work);
      String first = e.text().lines().findFirst().orElse("");
      throw new StatusException(e.code(), first + " path= " + bundle.criuLog(), e);
    } finally {
      Files.deleteIfExists(bundle.criuConfig());
      if (spec.work().isEmpty()) {
        removeWork();
      }
    }
    new CriuImage(spec.image()).inherit(streams);
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

  /** The setting that has CRIU leave {@code streams} out, after what an administrator has set in that way. */
  private Optional<String> leaveOut(List<StreamFile> streams) throws IOException {
    var text = new StringBuilder();
    Optional<String> before = runc.variable(CONFIG);
    if (before.isPresent() && Files.isReadable(Path.of(before.get()))) {
      text.append(Files.readString(Path.of(before.get()))).append('\n');
    }
    boolean any = false;
    for (StreamFile stream : streams) {
      if (!stream.pipe()) {
        any = true;
        text.append("external ").append(CriuImage.dumpedName(stream)).append('\n');
      }
    }
    if (!any) {
      return Optional.empty();
    }
    Files.writeString(bundle.criuConfig(), text);
    return Optional.of(CONFIG + "=" + bundle.criuConfig());
  }

  private void keepLog(Path work) {
    try {
      Files.copy(work.resolve("dump.log"), bundle.criuLog(), StandardCopyOption.REPLACE_EXISTING);
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
