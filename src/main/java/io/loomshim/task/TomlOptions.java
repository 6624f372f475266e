package io.loomshim.task;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.proto.runc.Options;
import io.loomshim.toml.Toml;
import io.loomshim.toml.TomlException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * Runtime options as containerd's configuration writes them for a runtime whose options it does not know. Pure, but
 * for {@link #readFile}, which is to be called within a step of {@code Aside}.
 */
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

  /**
   * The same for the text of a file. Only a regular file is read, and no more of it than options can take: a fifo
   * would block, a device might not end.
   *
   * @throws StatusException INVALID_ARGUMENT also for a file that cannot be read
   */
  static Options readFile(String path) {
    try {
      Path file = Path.of(path);
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new IOException("not a regular file");
      }
      try (InputStream in = Files.newInputStream(file)) {
        // one byte too many is one character too many, or an options file that is none
        return read(new String(in.readNBytes(Toml.LENGTH_MAX + 1), StandardCharsets.UTF_8), path);
      }
    } catch (IOException | InvalidPathException e) {
      String text = "options file " + path + " cannot be read: " + e + ": invalid argument";
      throw new StatusException(Code.INVALID_ARGUMENT, text, e);
    }
  }

  /** The case of letters does not count, as in containerd's own reader. */
  private static void set(Options.Builder options, String key, Object value) {
    switch (key.toLowerCase(Locale.ROOT)) {
      case "nopivotroot" -> options.setNoPivotRoot(flag(key, value));
      case "nonewkeyring" -> options.setNoNewKeyring(flag(key, value));
      case "shimcgroup" -> options.setShimCgroup(text(key, value));
      case "iouid" -> options.setIoUid(id(key, value));
      case "iogid" -> options.setIoGid(id(key, value));
      case "binaryname" -> options.setBinaryName(text(key, value));
      case "root" -> options.setRoot(text(key, value));
      case "criupath" -> options.setCriuPath(text(key, value));
      case "systemdcgroup" -> options.setSystemdCgroup(flag(key, value));
      case "criuworkpath" -> options.setCriuWorkPath(text(key, value));
      // in options of a client it names what to restore; a configuration speaks for every container
      case "criuimagepath" -> text(key, value);
      case "typeurl", "configpath" -> text(key, value); // containerd's own, beside ours in its configuration
      default -> Log.warn("unknown runtime option", "name", key);
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
    String text = "runtime option " + key + " is not a " + type + ": invalid argument";
    return new StatusException(Code.INVALID_ARGUMENT, text);
  }
}
