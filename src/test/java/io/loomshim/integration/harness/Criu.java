package io.loomshim.integration.harness;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The CRIU of this machine: {@code LOOMSHIM_CRIU} as {@code integration/test.sh} sets it, what an earlier run of that
 * has fetched, or the one in the PATH.
 */
public final class Criu {
  private static final Optional<Path> PROGRAM = find();

  private static final class Check {
    /** Empty when the kernel can do it. */
    static final String OBJECTION = PROGRAM.isEmpty() ? "there is no criu" : objection(PROGRAM.get());
  }

  private Criu() {}

  /** What must be in the PATH of runc, if it is not there already. */
  public static Optional<Path> directory() {
    return PROGRAM.map(Path::getParent);
  }

  /** Whether the kernel can do it. */
  public static boolean works() {
    return Check.OBJECTION.isEmpty();
  }

  /** Skips the running test where CRIU does not work. */
  public static void assumeItWorks() {
    assumeTrue(Check.OBJECTION.isEmpty(), Check.OBJECTION);
  }

  private static Optional<Path> find() {
    var places = new ArrayList<Path>();
    Optional.ofNullable(System.getenv("LOOMSHIM_CRIU")).filter(s -> !s.isEmpty()).map(Path::of).ifPresent(places::add);
    String cache = System.getenv().getOrDefault("LOOMSHIM_CACHE", "/var/cache/loomshim");
    places.add(Path.of(cache, "criu/bin/criu"));
    for (String directory : (System.getenv("PATH") + ":/usr/sbin").split(":")) {
      places.add(Path.of(directory, "criu"));
    }
    return places.stream().filter(Files::isExecutable).findFirst();
  }

  private static String objection(Path program) {
    var setting = new Exec.Setting(Scratch.BASE, Map.of());
    var result = Exec.start(Scratch.BASE, setting, List.of(program.toString(), "check")).await(Ctr.LIMIT);
    return result.exit() == 0 ? "" : "criu check: " + result.errors() + result.text();
  }
}
