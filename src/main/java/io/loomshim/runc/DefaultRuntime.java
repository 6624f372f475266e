package io.loomshim.runc;

import io.loomshim.process.Programs;
import io.loomshim.threads.Aside;
import java.util.Map;

/**
 * The runtime of containers whose options name none: runc, or crun on a machine that has crun alone. Stateless; for
 * steps of {@link Aside}, as it looks into the directories of PATH.
 */
public final class DefaultRuntime {
  private static final String ALONE = "crun";

  private DefaultRuntime() {}

  /** The runtime for {@code environment}, by its PATH; runc also where there is neither, for its error text. */
  public static String of(Map<String, String> environment) {
    String path = environment.getOrDefault("PATH", "");
    boolean there = Programs.find(RuncSettings.DEFAULT_BINARY, path).isPresent();
    return !there && Programs.find(ALONE, path).isPresent() ? ALONE : RuncSettings.DEFAULT_BINARY;
  }
}
