package io.loomshim.runc;

import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
    Map<String, String> environment = read(bundle);
    if (environment.isEmpty()) {
      environment = read(sandbox(bundle));
    }
    return environment.isEmpty() ? System.getenv() : inEnglish(environment);
  }

  /** As the launcher makes it for this process, and for the same reason: clients compare runc's words. */
  private static Map<String, String> inEnglish(Map<String, String> environment) {
    environment.remove("LANGUAGE");
    environment.put("LC_ALL", "C.UTF-8");
    return environment;
  }

  private static Map<String, String> read(Path bundle) {
    try {
      return parse(new String(Files.readAllBytes(bundle.resolve(FILE)), StandardCharsets.UTF_8));
    } catch (NoSuchFileException e) {
      return Map.of();
    } catch (IOException | IllegalArgumentException e) {
      Log.warn("failed to read the environment", "path", bundle.toString(), "error", String.valueOf(e.getMessage()));
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
