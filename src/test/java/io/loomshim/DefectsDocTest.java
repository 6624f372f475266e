package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

  @Test
  void eachDefectHasItsRowInOrder() throws IOException {
    assertEquals(IntStream.rangeClosed(1, DEFECTS).boxed().toList(), rows().stream().map(Row::number).toList());
  }

  @Test
  void eachRowNamesTestsThatExistOrSaysWhyNoneIsNeeded() throws IOException {
    var tests = TestNames.read();
    var problems = new ArrayList<String>();
    for (Row row : rows()) {
      var matcher = TEST.matcher(row.here());
      boolean said = row.here().startsWith("not applicable: ");
      while (matcher.find()) {
        said = true;
        if (!tests.exist(matcher.group(1), matcher.group(2))) {
          problems.add(row.number() + ": there is no test " + matcher.group());
        }
      }
      if (!said) {
        problems.add(row.number() + ": neither a test nor a reason");
      }
    }
    assertEquals(List.of(), problems);
  }
}
