package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One source file by its path below a directory; {@code code} is its lines without comments and the contents of
 * strings.
 */
record Source(String name, List<String> lines, List<String> code) {
  private static final Pattern STRING = Pattern.compile("\"(\\\\.|[^\"\\\\])*\"");
  private static final Pattern TEST = Pattern.compile("@(Test|ParameterizedTest|RepeatedTest|TestFactory)\\b.*");
  private static final Pattern METHOD = Pattern.compile("\\bvoid (\\w+)\\(");

  static Source of(String name, List<String> lines) {
    var code = new ArrayList<String>();
    boolean comment = false;
    boolean block = false;
    for (String line : lines) {
      String text = block ? "" : STRING.matcher(line.replace("\"\"\"", "\0")).replaceAll("\"\"");
      block ^= line.split("\"\"\"", -1).length % 2 == 0;
      comment |= text.strip().startsWith("/*");
      code.add(comment ? "" : text.replaceFirst("//.*", ""));
      comment &= !text.contains("*/");
    }
    return new Source(name, lines, code);
  }

  /** All below {@code base}. */
  static List<Source> below(Path base) throws IOException {
    var sources = new ArrayList<Source>();
    try (Stream<Path> files = Files.walk(base)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
        sources.add(of(base.relativize(file).toString(), Files.readAllLines(file)));
      }
    }
    assertTrue(sources.size() > 10, "no sources below " + base.toAbsolutePath());
    return sources;
  }

  /** The first directory of its path. */
  String room() {
    int slash = name.indexOf('/');
    return slash < 0 ? "" : name.substring(0, slash);
  }

  /** The class that the file is named after. */
  String type() {
    return name.substring(name.lastIndexOf('/') + 1).replace(".java", "");
  }

  /** The names of its test methods. */
  List<String> tests() {
    var tests = new ArrayList<String>();
    boolean test = false;
    for (String line : code) {
      test |= TEST.matcher(line.strip()).matches();
      var method = METHOD.matcher(line);
      if (test && method.find()) {
        tests.add(method.group(1));
        test = false;
      }
    }
    return tests;
  }
}
