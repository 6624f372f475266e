package io.loomshim.task;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.checkpoint.CheckpointSpec;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import java.nio.file.Path;
import java.util.Optional;

/** How a client wants a checkpoint to be made, whatever type it sent that as. Pure. */
final class CheckpointOptions {
  private CheckpointOptions() {}

  /**
   * Reads the options; an Any without a type stands for none. Of the two message types, the fields for the two
   * paths have each other's number.
   *
   * @param path where the request itself wants the image; containerd leaves another one in the options of a
   *     runtime that is not called runc
   * @throws StatusException INVALID_ARGUMENT for a type that is not known, bytes that are not of their type, and
   *     when no path is given at all
   */
  static CheckpointSpec decode(Any any, String path) {
    String type = any.getTypeUrl().substring(any.getTypeUrl().lastIndexOf('/') + 1);
    try {
      return switch (type) {
        case "" -> spec(io.loomshim.proto.runc.CheckpointOptions.getDefaultInstance(), path);
        case "containerd.runc.v1.CheckpointOptions" ->
            spec(io.loomshim.proto.runc.CheckpointOptions.parseFrom(any.getValue()), path);
        case "containerd.linux.runc.CheckpointOptions" ->
            spec(convert(io.loomshim.proto.linuxrunc.CheckpointOptions.parseFrom(any.getValue())), path);
        default ->
            throw new StatusException(
                Code.INVALID_ARGUMENT,
                "checkpoint options of type \"" + any.getTypeUrl() + "\" are not known: invalid argument");
      };
    } catch (InvalidProtocolBufferException e) {
      throw new StatusException(
          Code.INVALID_ARGUMENT, "checkpoint options are not a " + type + ": " + e.getMessage(), e);
    }
  }

  private static io.loomshim.proto.runc.CheckpointOptions convert(
      io.loomshim.proto.linuxrunc.CheckpointOptions old) {
    return io.loomshim.proto.runc.CheckpointOptions.newBuilder()
        .setExit(old.getExit())
        .setOpenTcp(old.getOpenTcp())
        .setExternalUnixSockets(old.getExternalUnixSockets())
        .setTerminal(old.getTerminal())
        .setFileLocks(old.getFileLocks())
        .addAllEmptyNamespaces(old.getEmptyNamespacesList())
        .setWorkPath(old.getWorkPath())
        .setImagePath(old.getImagePath())
        .build();
  }

  private static CheckpointSpec spec(io.loomshim.proto.runc.CheckpointOptions options, String path) {
    String image = options.getImagePath().isEmpty() ? path : options.getImagePath();
    if (image.isEmpty()) {
      throw new StatusException(Code.INVALID_ARGUMENT, "no path for the checkpoint is given: invalid argument");
    }
    String work = options.getWorkPath();
    RuntimeOptions.checkPath("image_path", image);
    RuntimeOptions.checkPath("work_path", work);
    return new CheckpointSpec(
        Path.of(image),
        work.isEmpty() ? Optional.empty() : Optional.of(Path.of(work)),
        options.getExit(),
        options.getOpenTcp(),
        options.getExternalUnixSockets(),
        options.getTerminal(),
        options.getFileLocks(),
        options.getEmptyNamespacesList());
  }
}
