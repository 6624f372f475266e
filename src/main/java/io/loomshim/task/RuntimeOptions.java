package io.loomshim.task;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.proto.linuxrunc.CreateOptions;
import io.loomshim.proto.runc.Options;
import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;

/** The runtime options of a client, whatever type it sent them as. Pure. */
public final class RuntimeOptions {
  private RuntimeOptions() {}

  /**
   * Reads the options; an Any without a type stands for none.
   *
   * @throws StatusException INVALID_ARGUMENT for a type that is not known or bytes that are not of their type
   */
  public static Options decode(Any any) {
    if (any.getTypeUrl().isEmpty()) {
      return Options.getDefaultInstance();
    }
    String type = any.getTypeUrl().substring(any.getTypeUrl().lastIndexOf('/') + 1);
    try {
      return checked(
          switch (type) {
            case "containerd.runc.v1.Options" -> Options.parseFrom(any.getValue());
            case "containerd.linux.runc.CreateOptions" -> convert(any.getValue());
            default ->
                throw new StatusException(
                    Code.INVALID_ARGUMENT,
                    "options of type \"" + any.getTypeUrl() + "\" are not known: invalid argument");
          });
    } catch (InvalidProtocolBufferException e) {
      throw new StatusException(Code.INVALID_ARGUMENT, "options are not a " + type + ": " + e.getMessage(), e);
    }
  }

  private static Options convert(ByteString value) throws InvalidProtocolBufferException {
    CreateOptions old = CreateOptions.parseFrom(value);
    return Options.newBuilder()
        .setNoPivotRoot(old.getNoPivotRoot())
        .setNoNewKeyring(old.getNoNewKeyring())
        .setShimCgroup(old.getShimCgroup())
        .setIoUid(old.getIoUid())
        .setIoGid(old.getIoGid())
        .setCriuWorkPath(old.getCriuWorkPath())
        .setCriuImagePath(old.getCriuImagePath())
        .build();
  }

  /** These become arguments and lines of files. */
  private static Options checked(Options options) {
    for (String text : new String[] {options.getBinaryName(), options.getRoot(), options.getCriuPath()}) {
      if (text.indexOf('\n') >= 0 || text.indexOf('\0') >= 0) {
        throw new StatusException(
            Code.INVALID_ARGUMENT, "options hold a path with a control character: invalid argument");
      }
    }
    return options;
  }
}
