package io.loomshim;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The sources of the tests by class, for documents that name them. */
record TestNames(Map<String, String> sources) {
  static TestNames read() throws IOException {
    return new TestNames(sources(Path.of("src", "test", "java")));
  }

  /** The sources below {@code directory} by the names of their classes. */
  static Map<String, String> sources(Path directory) throws IOException {
    var sources = new HashMap<String, String>();
    try (var files = Files.walk(directory)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        // two rooms may have a class of the same name
        sources.merge(file.getFileName().toString().replace(".java", ""), Files.readString(file), String::concat);
      }
    }
    return sources;
  }

  /** Whether the class has a test method of this name. */
  boolean exist(String type, String method) {
    return tests(sources.getOrDefault(type, ""), method);
  }

  static boolean tests(String source, String method) {
    return Source.of("", source.lines().toList()).tests().contains(method);
  }
}
