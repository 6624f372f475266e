package io.loomshim.takeover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.record.Kinds;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EstateTest {
  private static final Path MAIN = Path.of("src/main/java/io/loomshim");

  /** A constant that is made of the beginning of the kinds of other rooms, directly or by way of another one. */
  private static final Pattern FREE =
      Pattern.compile("static final int (\\w+) = Kinds\\.(CONTAINERS|OTHERS)_FREE( \\+ \\d+)?;");

  @Test
  void everyKindOfTheRecordIsKnown() throws Exception {
    var known = new TreeSet<Integer>();
    for (var field : Kinds.class.getFields()) {
      boolean bound = field.getName().endsWith("_FREE") || field.getName().endsWith("END");
      if (field.getType() == int.class && Modifier.isStatic(field.getModifiers()) && !bound) {
        assertTrue(Estate.knows(field.getInt(null)), field.getName());
        known.add(field.getInt(null));
      }
    }
    assertEquals(new TreeSet<>(Kinds.OWN), known);
    assertTrue(Estate.knows(CallsRecord.CALL) && Estate.knows(CallsRecord.REPLY));
  }

  @Test
  void whatNoBuildHasIsUnknown() {
    for (int kind : List.of(0, Kinds.CONTAINERS_FREE + 50, Kinds.CONTAINERS_END - 1, Kinds.OTHERS_FREE + 50,
        Kinds.END - 1)) {
      assertFalse(Estate.knows(kind), "kind " + kind);
    }
  }

  /** A room that begins to write kinds of its own must be known here, or no daemon would hand over any more. */
  @Test
  void noOtherRoomHasKindsThatAreNotKnown() throws Exception {
    var found = new ArrayList<String>();
    try (Stream<Path> files = Files.walk(MAIN)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        free(file, found);
      }
    }
    assertEquals(List.of("CallsRecord.java: CALL"), found);
  }

  private static void free(Path file, List<String> found) throws IOException {
    var matcher = FREE.matcher(Files.readString(file));
    while (matcher.find()) {
      found.add(file.getFileName() + ": " + matcher.group(1));
    }
  }
}
