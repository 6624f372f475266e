package io.loomshim.bench.loom;

import java.io.IOException;

/** Measures the cells of one axis. */
interface LoomScenario {
  /** Leaves nothing running, whatever the sides do. */
  void measure(Comparison comparison) throws IOException, InterruptedException;
}
