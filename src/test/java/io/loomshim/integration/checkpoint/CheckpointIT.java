package io.loomshim.integration.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.checkpoint.Counter.Kind;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Criu;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Checkpoint and restore with CRIU. */
final class CheckpointIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final int SOME = 3;

  @BeforeAll
  static void criu() {
    Criu.assumeItWorks();
  }

  private static Path image() {
    return Scratch.directory("image").resolve("i");
  }

  /** Counts under each of {@code stages} in turn, saved and restored in between; what was seen. */
  private static List<String> relay(List<Shim> shims, List<Kind> kinds) {
    var seen = new ArrayList<String>();
    var numbers = new ArrayList<Integer>();
    var images = new ArrayList<Path>();
    for (int stage = 0; stage < shims.size(); stage++) {
      Shim shim = shims.get(stage);
      Kind kind = kinds.get(stage);
      try (var counter = stage == 0 ? Counter.started(BED, shim, kind)
          : Counter.restored(BED, shim, kind, images.getLast())) {
        int first = counter.number();
        counter.counts(SOME);
        assertTrue(stage == 0 || first >= SOME, () -> "begins with " + first);
        images.add(image());
        seen.add("exit " + counter.save(images.getLast()));
        Await.until("all has come", () -> kind == Kind.NOTHING || counter.numbers().size() >= SOME);
        numbers.addAll(counter.numbers());
        BED.shims().sink().until(BED.shims().namespace(), counter.task().id(), "/tasks/delete")
            .forEach(event -> seen.add(event.topic() + " " + event.status()));
      }
    }
    for (int i = 0; i < numbers.size(); i++) {
      assertEquals(i + 1, numbers.get(i), () -> "not one after the other: " + numbers);
    }
    images.forEach(path -> Scratch.remove(path.getParent()));
    return seen;
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "TERMINAL")
  void aContainerGoesOnWhereItWasSaved(Kind kind) {
    var seen = Differential.same(shim -> relay(List.of(shim, shim), List.of(kind, kind)));
    assertEquals(List.of("exit 137", "/tasks/create -1", "/tasks/start -1", "/tasks/exit 137", "/tasks/delete 137"),
        seen.subList(0, 5));
  }

  @Test
  void aContainerWithATerminalGoesOnInAnotherTerminal() {
    Shim.assumeOurs("the Go shim crashes");
    relay(List.of(SHIM, SHIM), List.of(Kind.TERMINAL, Kind.TERMINAL));
  }

  @Test
  void imagesOfEitherShimCanBeRestoredWithTheOtherAndOtherStreams() {
    var go = Shim.reference();
    relay(List.of(SHIM, go), List.of(Kind.FIFO, Kind.FIFO));
    relay(List.of(go, SHIM), List.of(Kind.FIFO, Kind.FIFO));
    relay(List.of(go, SHIM), List.of(Kind.FIFO, Kind.FILE));
  }

  @Test
  void whatHasBeenRestoredCanBeSavedAgain() {
    Shim.assumeOurs("runc loses the names of new pipes");
    var us = List.of(SHIM, SHIM, SHIM, SHIM, SHIM);
    relay(us, List.of(Kind.FIFO, Kind.FIFO, Kind.FILE, Kind.OWNED, Kind.FIFO));
    relay(us, List.of(Kind.FILE, Kind.FILE, Kind.LOGGER, Kind.LOGGER, Kind.FILE));
  }
}
