package io.loomshim.checkpoint;

import io.loomshim.json.Json;
import io.loomshim.linux.WholeFile;
import io.loomshim.stdio.StreamFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The image of a container that CRIU has just written to a directory.
 *
 * <p>On a restore, runc gives the new descriptor 0, 1 or 2 for every pipe that {@code descriptors.json} names at that
 * place. It names the pipes of the container's first start there, also for one that has been restored since.
 */
record CriuImage(Path directory) {
  /**
   * Names the present pipes, so that runc gives new ones for {@code streams} on a restore.
   *
   * @throws IOException when the image is not as runc writes it
   */
  void inherit(List<StreamFile> streams) throws IOException {
    if (streams.isEmpty()) {
      return;
    }
    Path file = directory.resolve("descriptors.json");
    List<Object> names =
        new ArrayList<>(
            Json.array(Json.read(Files.readAllBytes(file)))
                .orElseThrow(() -> new IOException(file + " is not an array")));
    for (StreamFile stream : streams) {
      if (stream.number() < names.size()) {
        names.set(stream.number(), "pipe:[" + stream.inode() + "]");
      }
    }
    WholeFile.rewrite(file, Json.write(names).getBytes(StandardCharsets.UTF_8));
  }
}
