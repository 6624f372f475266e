package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/RELIABILITY.md and SECURITY.md name tests that are there. */
class ReliabilityDocTest {
  private static final Path TESTS = Path.of("src/test/java/io/loomshim");
  private static final List<Path> DOCS = List.of(Path.of("docs/RELIABILITY.md"), Path.of("SECURITY.md"));
  private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*(?:IT|Test))(?:\\.(\\w+))?`");

  @Test
  void everyTestThatIsNamedIsThere() throws IOException {
    var sources = new TreeMap<String, String>();
    try (Stream<Path> files = Files.walk(TESTS)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        sources.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
      }
    }
    var missing = new ArrayList<String>();
    int named = 0;
    for (Path doc : DOCS) {
      var names = NAMED.matcher(Files.readString(doc));
      while (names.find()) {
        named++;
        String source = sources.getOrDefault(names.group(1), "");
        boolean there = names.group(2) == null ? !source.isEmpty() : source.contains("void " + names.group(2) + "(");
        if (!there) {
          missing.add(doc + " names " + names.group());
        }
      }
    }
    assertEquals(List.of(), missing);
    assertTrue(named > 20, named + " names");
  }
}
