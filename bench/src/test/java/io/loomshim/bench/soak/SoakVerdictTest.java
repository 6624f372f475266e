package io.loomshim.bench.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.bench.chart.Drawing;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class SoakVerdictTest {
  private static final SoakSample FLAT = new SoakSample(0, 0, 59, 22, 2.5, 40, 63, 0, 10, 40);

  /** Forty samples; {@code last} of them are changed. */
  private static List<String> problems(int last, UnaryOperator<SoakSample> change) {
    return SoakVerdict.problems(samples(last, change));
  }

  private static List<SoakSample> samples(int last, UnaryOperator<SoakSample> change) {
    var samples = new ArrayList<SoakSample>();
    for (int i = 0; i < 40; i++) {
      var sample = new SoakSample(i * 250, i * 10, FLAT.files(), FLAT.threads(), FLAT.heapMb(), FLAT.pssMb(),
          FLAT.rssMb(), 0, FLAT.mounts(), FLAT.cgroups());
      samples.add(i < 40 - last ? sample : change.apply(sample));
    }
    return samples;
  }

  private static SoakSample with(SoakSample s, int files, long threads, double heap, double pss, int zombies,
      int mounts, int cgroups) {
    return new SoakSample(s.cycles(), s.seconds(), s.files() + files, s.threads() + threads, s.heapMb() + heap,
        s.pssMb() + pss, s.rssMb(), zombies, s.mounts() + mounts, s.cgroups() + cgroups);
  }

  @Test
  void whatStaysTheSameIsFlat() {
    assertEquals(List.of(), problems(0, s -> s));
  }

  @Test
  void whatTheJvmDoesByItselfIsFlat() {
    assertEquals(List.of(), problems(30, s -> with(s, 2, 3, 1.5, 8, 0, 0, 0)));
  }

  @Test
  void oneMoreThanThatIsAProblemOfEachKind() {
    assertEquals(List.of("open files: 59.0 at first, 62.0 at last"), problems(20, s -> with(s, 3, 0, 0, 0, 0, 0, 0)));
    assertEquals(List.of("threads: 22.0 at first, 26.0 at last"), problems(20, s -> with(s, 0, 4, 0, 0, 0, 0, 0)));
    assertEquals(List.of("MB of heap after a collection: 2.50 at first, 4.10 at last"),
        problems(20, s -> with(s, 0, 0, 1.6, 0, 0, 0, 0)));
    assertEquals(List.of("MB of memory (PSS): 40.0 at first, 48.5 at last"),
        problems(20, s -> with(s, 0, 0, 0, 8.5, 0, 0, 0)));
    assertEquals(List.of("mounts: 10.0 at first, 11.0 at last"), problems(20, s -> with(s, 0, 0, 0, 0, 0, 1, 0)));
    assertEquals(List.of("cgroups: 40.0 at first, 41.0 at last"), problems(20, s -> with(s, 0, 0, 0, 0, 0, 0, 1)));
  }

  @Test
  void aZombieAtAnyMomentIsAProblem() {
    assertEquals(List.of("1 zombies after 9750 cycles"), problems(1, s -> with(s, 0, 0, 0, 0, 1, 0, 0)));
  }

  @Test
  void aFewSamplesThatStandOutAreNoGrowth() {
    assertEquals(List.of(), problems(4, s -> with(s, 50, 0, 0, 0, 0, 0, 0)));
  }

  @Test
  void twoSamplesAreEnoughForAVerdict() {
    var samples = List.of(FLAT, with(FLAT, 10, 0, 0, 0, 0, 0, 0));
    assertEquals(List.of("open files: 59.0 at first, 69.0 at last"), SoakVerdict.problems(samples));
  }

  @Test
  void thePlotHoldsItsNumbers() {
    new Drawing(SoakPlot.draw("10000 create-to-delete cycles", samples(20, s -> with(s, 9, 9, 9, 9, 0, 9, 9)))).check();
    var one = new SoakSample(1_000_000, 9, 1, 1, 1024, 1, 1, 0, 0, 0);
    new Drawing(SoakPlot.draw("1000000 cycles", List.of(one))).check();
  }
}
