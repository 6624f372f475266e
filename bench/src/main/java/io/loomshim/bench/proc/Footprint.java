package io.loomshim.bench.proc;

import java.io.IOException;
import java.util.Collection;

/** What shim processes hold at one moment, all together: MiB of memory, threads of the system, open files. */
public record Footprint(double pss, double rss, double threads, double files) {
  public static Footprint of(Collection<Long> shims) throws IOException {
    double pss = 0;
    double rss = 0;
    double threads = 0;
    double files = 0;
    for (long shim : shims) {
      pss += Proc.number(shim, "smaps_rollup", "Pss:");
      rss += Proc.number(shim, "status", "VmRSS:");
      threads += Proc.number(shim, "status", "Threads:");
      files += Proc.files(shim);
    }
    return new Footprint(pss / 1024, rss / 1024, threads, files);
  }
}
