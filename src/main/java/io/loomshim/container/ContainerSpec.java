package io.loomshim.container;

import io.loomshim.proto.runc.Options;
import io.loomshim.proto.types.Mount;
import io.loomshim.stdio.StdioPaths;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a client asks for when it creates a container.
 *
 * @param id unique within the daemon's namespace
 * @param bundle an absolute path, the directory with config.json
 * @param rootfs what to mount on the bundle's rootfs, in order; may be empty
 * @param stdio the streams of the init process
 * @param options how to use runc
 * @param checkpoint the image of a checkpoint to start from
 */
public record ContainerSpec(
    String id, Path bundle, List<Mount> rootfs, StdioPaths stdio, Options options, Optional<Path> checkpoint) {
  public ContainerSpec {
    rootfs = List.copyOf(rootfs);
  }
}
