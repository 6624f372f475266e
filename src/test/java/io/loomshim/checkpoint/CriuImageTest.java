package io.loomshim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.stdio.StreamFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images as runc writes them, made by hand; CheckpointIT has real ones. */
class CriuImageTest {
  private static final StreamFile OUT = new StreamFile(1, 4711);

  @TempDir Path dir;

  @Test
  void pipesAreNamedAsTheyAreNowAndTheRestStays() throws Exception {
    Path file = Files.writeString(dir.resolve("descriptors.json"), "[\"/dev/null\",\"pipe:[1]\",\"pipe:[2]\"]");
    new CriuImage(dir).inherit(List.of(OUT, new StreamFile(2, 4712)));
    assertEquals("[\"/dev/null\",\"pipe:[4711]\",\"pipe:[4712]\"]", Files.readString(file));
  }

  @Test
  void withoutPipesTheImageIsNotTouched() throws Exception {
    new CriuImage(dir).inherit(List.of());
  }

  @Test
  void anImageThatIsNoneIsAnError() throws Exception {
    assertThrows(IOException.class, () -> new CriuImage(dir).inherit(List.of(OUT)));
    Files.writeString(dir.resolve("descriptors.json"), "nonsense");
    assertThrows(IOException.class, () -> new CriuImage(dir).inherit(List.of(OUT)));
  }
}
