package io.loomshim.task;

import io.loomshim.log.Log;
import io.loomshim.proto.runc.Options;
import io.loomshim.toml.Toml;
import io.loomshim.toml.TomlException;
import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;
import java.util.Map;

/** Runtime options as containerd's configuration writes them for a runtime whose options it does not know. Pure. */
final class TomlOptions {
  private TomlOptions() {}

  /**
   * Reads {@code text}. Names that we do not know are logged and ignored: a newer containerd may have more.
   *
   * @param where what the text is, for errors
   * @throws StatusException INVALID_ARGUMENT for a text that is no TOML or a value of another type
   */
  static Options read(String text, String where) {
    try {
      var options = Options.newBuilder();
      for (Map.Entry<String, Object> entry : Toml.read(text).entrySet()) {
        set(options, entry.getKey(), entry.getValue());
      }
      return options.build();
    } catch (TomlException e) {
      throw new StatusException(
          Code.INVALID_ARGUMENT, where + " cannot be read: " + e.getMessage() + ": invalid argument", e);
    }
  }

  private static void set(Options.Builder options, String key, Object value) {
    switch (key) {
      case "NoPivotRoot" -> options.setNoPivotRoot(flag(key, value));
      case "NoNewKeyring" -> options.setNoNewKeyring(flag(key, value));
      case "ShimCgroup" -> options.setShimCgroup(text(key, value));
      case "IoUid" -> options.setIoUid(id(key, value));
      case "IoGid" -> options.setIoGid(id(key, value));
      case "BinaryName" -> options.setBinaryName(text(key, value));
      case "Root" -> options.setRoot(text(key, value));
      case "CriuPath" -> options.setCriuPath(text(key, value));
      case "SystemdCgroup" -> options.setSystemdCgroup(flag(key, value));
      case "CriuImagePath" -> options.setCriuImagePath(text(key, value));
      case "CriuWorkPath" -> options.setCriuWorkPath(text(key, value));
      default -> Log.warn("runtime option is not known", "name", key);
    }
  }

  private static boolean flag(String key, Object value) {
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(key, "boolean");
  }

  private static String text(String key, Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw wrong(key, "string");
  }

  /** An unsigned number of 32 bits. */
  private static int id(String key, Object value) {
    if (value instanceof Long number && number >= 0 && number <= 0xffffffffL) {
      return (int) (long) number;
    }
    throw wrong(key, "number from 0 to 4294967295");
  }

  private static StatusException wrong(String key, String type) {
    String text = "runtime option " + key + " is no " + type + ": invalid argument";
    return new StatusException(Code.INVALID_ARGUMENT, text);
  }
}
