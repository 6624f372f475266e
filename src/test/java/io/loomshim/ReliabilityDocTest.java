package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What docs/RELIABILITY.md names, tests and limits, exists. */
final class ReliabilityDocTest {
  private static final Path DOC = Path.of("docs", "RELIABILITY.md");
  private static final Pattern NAME = Pattern.compile("`([A-Z]\\w+)\\.(\\w+)`");

  @Test
  void everyTestAndEveryLimitThatIsNamedExists() throws IOException {
    var tests = TestNames.read();
    var sources = TestNames.sources(Path.of("src", "main", "java"));
    var problems = new ArrayList<String>();
    int named = 0;
    var matcher = NAME.matcher(Files.readString(DOC));
    while (matcher.find()) {
      named++;
      String type = matcher.group(1);
      boolean test = type.endsWith("IT") || type.endsWith("Test");
      boolean exists = test ? tests.exist(type, matcher.group(2))
          : Pattern.compile("\\bDuration " + matcher.group(2) + "\\b|\\b(int|long) " + matcher.group(2) + " =")
              .matcher(sources.getOrDefault(type, "")).find();
      if (!exists) {
        problems.add("there is no " + matcher.group());
      }
    }
    assertEquals(List.of(), problems);
    assertTrue(named > 0);
  }
}
