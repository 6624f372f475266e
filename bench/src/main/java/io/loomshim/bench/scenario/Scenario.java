package io.loomshim.bench.scenario;

import java.io.IOException;

/** A group of figures that are measured together, sides in turn. */
interface Scenario {
  /** Leaves nothing running unless it fails; the containers of {@code Site.sleeper} are ended even then. */
  void measure(Plan plan) throws IOException, InterruptedException;
}
