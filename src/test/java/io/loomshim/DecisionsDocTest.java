package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every file in docs/decisions has a line in the index, docs/DECISIONS.md, and says when it was decided and whether it
 * holds.
 */
class DecisionsDocTest {
  private static final Path INDEX = Path.of("docs/DECISIONS.md");
  private static final Path FILES = Path.of("docs/decisions");
  private static final Pattern NAME = Pattern.compile("(\\d{4})-[a-z0-9-]+\\.md");
  private static final Pattern LINE =
      Pattern.compile("\\| \\[(\\d{4})\\]\\(decisions/([^)]+)\\) \\| (.+) \\| (.+) \\|");
  private static final String DATE = "\\d{4}-\\d{2}-\\d{2}";
  private static final Pattern HEAD = Pattern.compile("(?s)# (\\d+)\\. ([^\n]+)\n\nDate: " + DATE + "(, revised " + DATE
      + ")?\nStatus: (accepted|superseded by \\d{4})\n\n.*");

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(FILES)) {
      return files.sorted().toList();
    }
  }

  @Test
  void indexAndFilesAgree() throws Exception {
    var expected = new ArrayList<String>();
    for (Path file : files()) {
      String name = file.getFileName().toString();
      var head = HEAD.matcher(Files.readString(file));
      assertTrue(head.matches(), file + " must begin with a title, its date and its status");
      expected.add(name + " " + head.group(2) + " " + head.group(4));
    }
    var found = new ArrayList<String>();
    for (String line : Files.readAllLines(INDEX)) {
      var row = LINE.matcher(line);
      if (row.matches()) {
        found.add(row.group(2) + " " + row.group(3) + " " + row.group(4));
      }
    }
    assertEquals(expected, found);
  }

  @Test
  void numbersAreThoseOfTheFilesAndHaveNoGap() throws Exception {
    int number = 0;
    for (Path file : files()) {
      number++;
      var name = NAME.matcher(file.getFileName().toString());
      assertTrue(name.matches(), file + " has another name than NNNN-title.md");
      assertEquals(number, Integer.parseInt(name.group(1)), "number of " + file);
      assertTrue(Files.readString(file).startsWith("# " + number + ". "), file + " begins with another number");
    }
  }

  /** Paths of decisions in documents, comments and scripts lead somewhere. */
  @Test
  void whatIsNamedElsewhereExists() throws Exception {
    var named = Pattern.compile("decisions/(\\d{4}-[a-z0-9-]+\\.md)");
    var found = new ArrayList<String>();
    for (String root : List.of("README.md", "CONTRIBUTING.md", "docs", "src", "packaging", "integration", "bench")) {
      try (Stream<Path> files = Files.walk(Path.of(root))) {
        for (Path file : files.filter(f -> f.toString().matches(".*\\.(md|java|sh|xml)|.*-v1")).toList()) {
          var name = named.matcher(Files.readString(file));
          while (name.find()) {
            if (!Files.exists(FILES.resolve(name.group(1)))) {
              found.add(file + " names " + name.group(1));
            }
          }
        }
      }
    }
    assertEquals(List.of(), found);
  }
}
