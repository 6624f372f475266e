package io.loomshim.bench.proc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.bench.proc.Limits.Room;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LimitsTest {
  private static final long GB = 1L << 30;
  private static final Room BEFORE = new Room(16 * GB, 1000, 11_000);
  private final Limits limits = new Limits(BEFORE);

  @BeforeEach
  void hundredRun() {
    limits.started(100, 10);
    limits.seen(1, 300, 1 << 20);
  }

  @Test
  void roomForAllIsNoReason() {
    assertEquals("", limits.against(500, 100, new Room(15 * GB, 1100, 11_000)));
  }

  @Test
  void memoryThatWouldNotSufficeIsSaid() {
    // 4 GB for the first hundred, so 16 GB for the next four hundred
    assertEquals("needs 16.0 GB more of 12.0 GB", limits.against(500, 100, new Room(12 * GB, 1100, 11_000)));
  }

  @Test
  void onlySevenTenthsOfTheMemoryAreTaken() {
    assertEquals("", limits.against(309, 100, new Room(12 * GB, 1100, 11_000)));
    assertEquals("needs 8.4 GB more of 12.0 GB", limits.against(311, 100, new Room(12 * GB, 1100, 11_000)));
  }

  @Test
  void threadsThatWouldNotSufficeAreSaid() {
    assertEquals("needs 8000 threads more of 8000", limits.against(500, 100, new Room(16 * GB, 3000, 11_000)));
  }

  @Test
  void openFilesOfOneProcessAreCounted() {
    limits.seen(1, 300, 1024);
    assertEquals("needs 1500 open files of 1024", limits.against(500, 100, BEFORE));
    limits.seen(100, 300, 1024); // each has its own
    assertEquals("", limits.against(500, 100, BEFORE));
  }

  @Test
  void aStartThatTakesTooLongIsSaid() {
    limits.started(110, 10); // a second each
    assertEquals("would take 7 minutes to start", limits.against(510, 110, BEFORE));
  }

  @Test
  void fewContainersTellNothing() throws Exception {
    assertEquals("", limits.against(1_000_000, 9));
  }
}
