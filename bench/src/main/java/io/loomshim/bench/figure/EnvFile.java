package io.loomshim.bench.figure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** {@code env.json}, what a run was made with: one JSON object of strings, a line for each. */
public final class EnvFile {
  private static final Pattern LINE = Pattern.compile("^  \"([^\"]*)\": \"(.*)\",?$");

  private EnvFile() {}

  /** Writes {@code values} in their order. */
  public static void write(Path file, Map<String, String> values) throws IOException {
    var text = new StringBuilder("{");
    for (Map.Entry<String, String> each : values.entrySet()) {
      text.append(text.length() > 1 ? ",\n" : "\n").append("  ").append(quoted(each.getKey())).append(": ")
          .append(quoted(each.getValue()));
    }
    Files.writeString(file, text.append("\n}\n"));
  }

  /** Reads what {@link #write} has written. */
  public static Map<String, String> read(Path file) throws IOException {
    var values = new LinkedHashMap<String, String>();
    for (String line : Files.readAllLines(file)) {
      var pair = LINE.matcher(line);
      if (pair.matches()) {
        values.put(pair.group(1), pair.group(2).replace("\\\"", "\"").replace("\\\\", "\\"));
      }
    }
    return values;
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("[\\x00-\\x1f]", " ") + "\"";
  }
}
