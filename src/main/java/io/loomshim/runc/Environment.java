package io.loomshim.runc;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.SmallFile;
import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The environment of a container's runtime: what its {@code start} had from containerd and left in the bundle, in the
 * words of the shell's {@code export -p}. A container that came without a {@code start} has that of its sandbox.
 */
public final class Environment {
  private static final String FILE = "loom.env";

  private Environment() {}

  /** That for the container in {@code bundle}; this process's where nothing is known. */
  public static Map<String, String> of(Path bundle) {
    return of(bundle, text(bundle));
  }

  /** The same, when {@code text} stands in the bundle. */
  static Map<String, String> of(Path bundle, String text) {
    Map<String, String> environment = parsed(bundle, text);
    if (environment.isEmpty()) {
      Path sandbox = sandbox(bundle);
      environment = parsed(sandbox, text(sandbox));
    }
    return environment.isEmpty() ? System.getenv() : inEnglish(environment);
  }

  /** What stands in {@code bundle} of it; empty when there is nothing, or it cannot be read. */
  static String text(Path bundle) {
    try {
      return SmallFile.text(bundle + "/" + FILE);
    } catch (ErrnoException e) {
      if (e.errno() != Errno.ENOENT) {
        warn(bundle, e);
      }
      return "";
    }
  }

  private static void warn(Path bundle, Exception e) {
    Log.warn("failed to read the environment", "path", bundle.toString(), "error", String.valueOf(e.getMessage()));
  }

  /** As the launcher makes it for this process, and for the same reason: clients compare runc's words. */
  private static Map<String, String> inEnglish(Map<String, String> environment) {
    environment.remove("LANGUAGE");
    environment.put("LC_ALL", "C.UTF-8");
    return environment;
  }

  private static Map<String, String> parsed(Path bundle, String text) {
    try {
      return parse(text);
    } catch (IllegalArgumentException e) {
      warn(bundle, e);
      return Map.of();
    }
  }

  /** The bundle of the sandbox that this container belongs to, as containerd 2 writes it down; or {@code bundle}. */
  private static Path sandbox(Path bundle) {
    try {
      Path name = Path.of(Files.readString(bundle.resolve("sandbox")).strip()).getFileName();
      return bundle.resolveSibling(name);
    } catch (IOException | RuntimeException e) {
      return bundle; // most have none
    }
  }

  /**
   * Reads what {@code export -p} prints: {@code export NAME=WORD} or {@code declare -x NAME=WORD} each, the word in
   * any quotes that a shell knows. Names without a value do not count.
   *
   * @throws IllegalArgumentException if the end is missing
   */
  static Map<String, String> parse(String text) {
    var environment = new LinkedHashMap<String, String>();
    var words = new ShellWords(text);
    while (words.more()) {
      String head = words.until('=');
      String name = head.substring(head.lastIndexOf(' ') + 1);
      if (words.at('=')) {
        environment.put(name, words.word());
      }
      words.endLine();
    }
    return environment;
  }
}
