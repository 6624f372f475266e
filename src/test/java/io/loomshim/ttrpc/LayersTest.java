package io.loomshim.ttrpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the statement of this package says of it. */
class LayersTest {
  private static final Path ROOM = Path.of("src/main/java/io/loomshim/ttrpc");

  /** Each class stands only on those before it. */
  private static final List<String> ORDER = List.of("ClosedException", "Kind", "Backoff", "Line", "Door",
      "SocketStream", "SocketDoor", "Redo", "Deadlines", "ClientLimit", "Dial", "Frame", "FrameReader", "FrameWriter",
      "Client", "Call", "Handler", "Attempt", "Method", "Service", "ErrorMapper", "Errors", "Calls", "InFlight",
      "Gate", "StuckCalls", "Shared", "Exchange", "Intake", "Lane", "Connection", "Server");

  private static final Pattern COMMENT = Pattern.compile("/\\*.*?\\*/|//[^\n]*", Pattern.DOTALL);
  private static final Pattern STRING = Pattern.compile("\"(\\\\.|[^\"\\\\])*\"");
  private static final Pattern IMPORT = Pattern.compile("^import .*$", Pattern.MULTILINE);
  private static final Pattern WORD = Pattern.compile("\\b[A-Z]\\w*");

  private static String code(String type) throws IOException {
    String text = COMMENT.matcher(Files.readString(ROOM.resolve(type + ".java"))).replaceAll("");
    return IMPORT.matcher(STRING.matcher(text).replaceAll("\"\"")).replaceAll("");
  }

  @Test
  void noClassUsesOneThatStandsOnIt() throws Exception {
    var found = new ArrayList<String>();
    for (String type : ORDER) {
      var words = WORD.matcher(code(type));
      var used = new TreeSet<String>();
      while (words.find()) {
        used.add(words.group());
      }
      for (String other : ORDER.subList(ORDER.indexOf(type) + 1, ORDER.size())) {
        if (used.contains(other)) {
          found.add(type + " uses " + other + ", which stands on it");
        }
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void everyClassHasItsPlace() throws Exception {
    try (Stream<Path> files = Files.list(ROOM)) {
      var all = new TreeSet<>(files.map(file -> file.getFileName().toString().replace(".java", "")).toList());
      all.remove("package-info");
      assertEquals(new TreeSet<>(ORDER), all);
    }
  }

  @Test
  void noClassKnowsWhatACallIsAbout() throws Exception {
    var subject = Pattern.compile("[cC]ontainer|\\bexec\\b|\\bExec\\b");
    for (String type : ORDER) {
      assertEquals(List.of(), subject.matcher(code(type)).results().map(m -> type + ": " + m.group()).toList());
    }
  }
}
