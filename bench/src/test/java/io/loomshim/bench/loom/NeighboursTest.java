package io.loomshim.bench.loom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.proc.Activity;
import org.junit.jupiter.api.Test;

class NeighboursTest {
  private static final Activity.Done QUIET = new Activity.Done(0, 0, 1);

  @Test
  void aQuietMachineIsNotWarnedOf() {
    var neighbours = new Neighbours();
    assertEquals("", Neighbours.warning(neighbours.text()), "nothing was looked at");
    neighbours.add(0.02, 0, QUIET);
    neighbours.add(0.01, 0.02, QUIET); // the kernel counts in steps
    assertEquals("0.01 processors in the mean of 2 looks, 0.02 at most", neighbours.text());
    assertEquals("", Neighbours.warning(neighbours.text()));
    assertEquals("", Neighbours.warning(""), "a run of an earlier version");
  }

  @Test
  void otherWorkIsWarnedOf() {
    var neighbours = new Neighbours();
    neighbours.add(0, 0, QUIET);
    neighbours.add(1.5, 0, QUIET);
    assertTrue(Neighbours.warning(neighbours.text()).contains("0.75 processors in the mean of 2 looks, 1.50 at most"),
        neighbours.text());
  }

  /** Of three processor seconds in two, this process had one and the shims a half. */
  @Test
  void ourOwnWorkIsNotThatOfOthers() {
    var neighbours = new Neighbours();
    neighbours.add(3, 1, new Activity.Done(500, 0, 2));
    assertEquals(0.75, neighbours.mean(), 1e-9);
  }
}
