package io.loomshim.task;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.linuxrunc.CreateOptions;
import io.loomshim.proto.runc.Options;
import java.util.Set;

/** The runtime options of a client, whatever type it sent them as. Pure, but for a file that options may name. */
public final class RuntimeOptions {
  private static final Set<String> TYPES =
      Set.of(
          "containerd.runc.v1.Options",
          "containerd.linux.runc.CreateOptions",
          "runtimeoptions.v1.Options",
          "cri.runtimeoptions.v1.Options");

  private RuntimeOptions() {}

  /** Whether {@link #decode} reads options of this type. */
  public static boolean knows(String typeUrl) {
    return TYPES.contains(bare(typeUrl));
  }

  private static String bare(String typeUrl) {
    return typeUrl.substring(typeUrl.lastIndexOf('/') + 1);
  }

  /**
   * Reads the options; an Any without a type stands for none.
   *
   * @throws StatusException INVALID_ARGUMENT for a type that is not known or bytes that are not of their type
   */
  public static Options decode(Any any) {
    if (any.getTypeUrl().isEmpty()) {
      return Options.getDefaultInstance();
    }
    String type = bare(any.getTypeUrl());
    try {
      return checked(
          switch (type) {
            case "containerd.runc.v1.Options" -> Options.parseFrom(any.getValue());
            case "containerd.linux.runc.CreateOptions" -> convert(any.getValue());
            case "runtimeoptions.v1.Options", "cri.runtimeoptions.v1.Options" -> fromToml(any.getValue());
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

  /** The file that {@link #decode} reads for these options, whose content may change; empty when there is none. */
  public static String file(Any any) {
    String type = bare(any.getTypeUrl());
    if (!type.equals("runtimeoptions.v1.Options") && !type.equals("cri.runtimeoptions.v1.Options")) {
      return "";
    }
    try {
      var toml = io.loomshim.proto.runtimeoptions.Options.parseFrom(any.getValue());
      return toml.getConfigBody().isEmpty() ? toml.getConfigPath() : "";
    } catch (InvalidProtocolBufferException e) {
      return "";
    }
  }

  /** The text itself counts, else the file. */
  private static Options fromToml(ByteString value) throws InvalidProtocolBufferException {
    var toml = io.loomshim.proto.runtimeoptions.Options.parseFrom(value);
    if (!toml.getConfigBody().isEmpty()) {
      return TomlOptions.read(toml.getConfigBody().toStringUtf8(), "config_body");
    }
    if (toml.getConfigPath().isEmpty()) {
      return Options.getDefaultInstance();
    }
    return TomlOptions.readFile(toml.getConfigPath());
  }

  /** These become arguments and lines of files. */
  private static Options checked(Options options) {
    checkPath("binary_name", options.getBinaryName());
    checkPath("root", options.getRoot());
    checkPath("shim_cgroup", options.getShimCgroup());
    checkPath("criu_path", options.getCriuPath());
    checkPath("criu_image_path", options.getCriuImagePath());
    checkPath("criu_work_path", options.getCriuWorkPath());
    if (!options.getRoot().isEmpty() && !options.getRoot().startsWith("/")) {
      throw new StatusException(
          Code.INVALID_ARGUMENT, "root \"" + options.getRoot() + "\" is not an absolute path: invalid argument");
    }
    return options;
  }

  /**
   * Refuses a path that holds a control character: no path that a user has in mind has one.
   *
   * @throws StatusException INVALID_ARGUMENT with the option's name
   */
  static void checkPath(String option, String path) {
    for (int i = 0; i < path.length(); i++) {
      if (Character.isISOControl(path.charAt(i))) {
        throw new StatusException(
            Code.INVALID_ARGUMENT, "option " + option + " holds a control character: invalid argument");
      }
    }
  }
}
