package io.loomshim.bench.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SamplesTest {
  @TempDir Path directory;
  private Path csv;
  private Samples samples;

  @BeforeEach
  void create() throws IOException {
    csv = directory.resolve("raw.csv");
    samples = Samples.create(csv);
  }

  @Test
  void whatIsAddedStandsInTheFileAtOnce() throws Exception {
    samples.add(Figure.START, Side.LOOM, 3.5);
    samples.add(Figure.PSS, 100, Side.GROUP, 12.34567);
    assertEquals(List.of("figure,n,side,value,unit", "start,,loom,3.5000,ms", "pss,100,runc.v2-group,12.3457,mb"),
        Files.readAllLines(csv));
  }

  @Test
  void whatWasWrittenIsReadAgain() throws Exception {
    samples.add(Figure.START, Side.LOOM, 3);
    samples.add(Figure.START, Side.LOOM, 5);
    samples.add(Figure.PSS, 100, Side.GROUP, 12.5);
    Samples read = Samples.read(csv);
    assertEquals(4, read.of(Figure.START, Samples.NONE, Side.LOOM).median());
    assertEquals(12.5, read.of(Figure.PSS, 100, Side.GROUP).median());
    assertTrue(read.of(Figure.PSS, 10, Side.GROUP).empty());
    assertTrue(read.has(Side.GROUP));
    assertFalse(read.has(Side.RUNC_V1));
  }

  @Test
  void aLanguageThatWritesACommaChangesNothing() throws Exception {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.GERMANY);
    try {
      samples.add(Figure.START, Side.LOOM, 1.25);
    } finally {
      Locale.setDefault(before);
    }
    assertEquals(1.25, Samples.read(csv).of(Figure.START, Samples.NONE, Side.LOOM).median());
  }

  @Test
  void aFileOfAnotherKindIsRefused() throws Exception {
    Files.writeString(csv, "axis,n,side,what,text\n");
    assertThrows(IOException.class, () -> Samples.read(csv));
  }

  @Test
  void aRatioIsThatOfTheMedians() {
    for (double value : new double[] {1, 2, 30}) {
      samples.add(Figure.START, Side.LOOM, value);
    }
    samples.add(Figure.START, Side.RUNC_V1, 8);
    assertEquals(0.25, samples.ratio(Figure.START, Samples.NONE, Side.RUNC_V1));
    assertEquals(4, samples.ratio(Figure.START, Samples.NONE, Side.RUNC_V1, Side.LOOM));
  }

  @Test
  void thereIsNoRatioToWhatWasNotMeasuredOrIsZero() {
    samples.add(Figure.IDLE_CPU, 10, Side.LOOM, 1);
    samples.add(Figure.IDLE_CPU, 10, Side.RUNC_V1, 0);
    assertEquals(Double.NaN, samples.ratio(Figure.IDLE_CPU, 10, Side.RUNC_V1));
    assertEquals(Double.NaN, samples.ratio(Figure.IDLE_CPU, 10, Side.GROUP));
  }

  @Test
  void linesGoThroughTheMediansByNumber() {
    samples.add(Figure.PSS, 1000, Side.LOOM, 60);
    samples.add(Figure.PSS, 10, Side.LOOM, 40);
    samples.add(Figure.PSS, 10, Side.LOOM, 42);
    samples.add(Figure.PSS, 200, Side.RUNC_V1, 300);
    assertEquals(List.of(10, 200, 1000), samples.counts(Figure.PSS));
    assertEquals(Map.of(Side.LOOM, Map.of(10, 41.0, 1000, 60.0), Side.RUNC_V1, Map.of(200, 300.0)),
        samples.lines(Figure.PSS, Side.SHIMS));
  }
}
