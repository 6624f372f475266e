package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The style of the tests, where it can be read off the sources. Each violation is one sentence. */
final class TestStyleTest {
  private static final Path TEST = Path.of("src/test/java/io/loomshim");
  private static final Path BENCH_TEST = Path.of("bench/src/test/java/io/loomshim/bench");

  private static final String INTEGRATION = "integration/";
  private static final String HARNESS = "harness";
  /** Messages generated from src/test/proto. */
  private static final String MESSAGES = "cri";

  /** A sentence of at least three words, as {@code aDeadDaemonIsReplaced}. */
  private static final Pattern SENTENCE = Pattern.compile("[a-z]+[0-9]*([A-Z]+[a-z0-9]*){2,}");
  private static final Pattern CLASS = Pattern.compile("^(public |final |abstract )*class .*");
  private static final Pattern USED = Pattern.compile("^import (static )?io\\.loomshim\\.integration\\.([a-z]+)\\..*");

  private static List<Source> all() throws IOException {
    var all = Source.below(TEST);
    all.addAll(Source.below(BENCH_TEST));
    return all;
  }

  @Test
  void aTestIsNamedWithASentence() throws Exception {
    var found = new ArrayList<String>();
    for (Source source : all()) {
      for (String test : source.tests()) {
        if (!SENTENCE.matcher(test).matches()) {
          found.add(source.name() + " has the test " + test + ": say in three or more words what holds");
        }
      }
    }
    assertEquals(List.of(), found);
  }

  /** {@code FooTest} tests the class {@code Foo} of its package; any other name is explained. */
  @Test
  void aClassOfTestsIsNamedAfterWhatItTests() throws Exception {
    List<Source> sources = all();
    var found = new ArrayList<String>();
    for (Source source : sources) {
      String end = source.name().startsWith(INTEGRATION) ? "IT" : "Test";
      if (source.tests().isEmpty() == source.type().endsWith(end)) {
        found.add(source.name() + ": a class ends in " + end + " if it has tests, and only then");
      } else if (source.type().endsWith(end) && !besideItsClass(source.name()) && !explained(source)) {
        found.add(source.name() + " tests no class that its name says: say what it tests in its Javadoc");
      }
    }
    assertEquals(List.of(), found);
  }

  private static boolean besideItsClass(String test) {
    String tested = test.replaceFirst("(Test|IT)\\.java$", ".java");
    return Stream.of("src/main/java/io/loomshim", "src/test/java/io/loomshim", "bench/src/main/java/io/loomshim/bench")
        .anyMatch(base -> Files.exists(Path.of(base, tested)));
  }

  /** Whether a comment ends right above the class, annotations aside. */
  private static boolean explained(Source source) {
    String above = "";
    for (int i = 0; i < source.lines().size(); i++) {
      String line = source.lines().get(i);
      if (CLASS.matcher(source.code().get(i)).matches()) {
        return above.endsWith("*/");
      }
      above = line.startsWith("@") ? above : line;
    }
    return false;
  }

  @Test
  void integrationTestsOfASubjectUseTheHarnessAndNotEachOther() throws Exception {
    var found = new ArrayList<String>();
    for (Source source : Source.below(TEST.resolve(INTEGRATION))) {
      for (String line : source.code()) {
        var used = USED.matcher(line);
        boolean fine = !used.matches() || List.of(HARNESS, MESSAGES, source.room()).contains(used.group(2));
        if (source.room().isEmpty() || !fine || used.matches() && source.room().equals(HARNESS)
            && !used.group(2).equals(HARNESS)) {
          found.add(source.name() + " is in no package of a subject, or uses another: " + line.strip());
        }
      }
    }
    assertEquals(List.of(), found);
  }
}
