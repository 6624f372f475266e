package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The table of known defects says something about each of them, and names only tests that exist. */
final class DefectsDocTest {
  private static final int DEFECTS = 60;
  private static final Path DOC = Path.of("docs", "DEFECTS.md");
  private static final Pattern ROW = Pattern.compile("\\| (\\d+) \\| (.+) \\| (.+) \\|");
  private static final Pattern TEST = Pattern.compile("`([A-Z]\\w+)\\.(\\w+)`");

  private record Row(int number, String symptom, String here) {}

  private static List<Row> rows() throws IOException {
    var rows = new ArrayList<Row>();
    for (String line : Files.readAllLines(DOC)) {
      var matcher = ROW.matcher(line);
      if (matcher.matches()) {
        rows.add(new Row(Integer.parseInt(matcher.group(1)), matcher.group(2), matcher.group(3)));
      }
    }
    return rows;
  }

  private static Map<String, String> testSources() throws IOException {
    var sources = new HashMap<String, String>();
    try (var files = Files.walk(Path.of("src", "test", "java"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        sources.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
      }
    }
    return sources;
  }

  /** Whether the source has a test method of this name. */
  private static boolean tests(String source, String method) {
    String annotation = "@(Test|ParameterizedTest|RepeatedTest\\([^)]*\\))";
    return Pattern.compile(annotation + "(\\s+@\\w+(\\([^)]*\\))?)*\\s+void " + method + "\\(").matcher(source).find();
  }

  @Test
  void eachDefectHasItsRowInOrder() throws IOException {
    assertEquals(IntStream.rangeClosed(1, DEFECTS).boxed().toList(), rows().stream().map(Row::number).toList());
  }

  @Test
  void eachRowNamesTestsThatExistOrSaysWhyNoneIsNeeded() throws IOException {
    var sources = testSources();
    var problems = new ArrayList<String>();
    for (Row row : rows()) {
      var matcher = TEST.matcher(row.here());
      boolean said = row.here().startsWith("not applicable: ");
      while (matcher.find()) {
        said = true;
        if (!tests(sources.getOrDefault(matcher.group(1), ""), matcher.group(2))) {
          problems.add(row.number() + ": there is no test " + matcher.group());
        }
      }
      if (!said) {
        problems.add(row.number() + ": neither a test nor a reason");
      }
    }
    assertEquals(List.of(), problems);
  }

  @Test
  void aMethodThatIsNoTestIsNotTakenForOne() {
    String source = "@Test\n  void real() {}\n\n  void helper() {}\n@RepeatedTest(20)\n void often() throws X {}\n"
        + "@ParameterizedTest\n  @CsvSource({\"a, 1\"})\n  void table(String a) {}";
    assertEquals(List.of(true, false, true, true, false),
        List.of(tests(source, "real"), tests(source, "helper"), tests(source, "often"), tests(source, "table"),
            tests(source, "missing")));
  }
}
