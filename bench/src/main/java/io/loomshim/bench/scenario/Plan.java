package io.loomshim.bench.scenario;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Size;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a scenario gets: where, how much, which sides, and where the samples go.
 *
 * @param skipped takes lines {@code figure,n,side,reason}
 */
public record Plan(Site site, Samples samples, Size size, List<Side> sides, PrintWriter skipped) {
  private static final Logger LOGGER = LoggerFactory.getLogger("bench");

  public static PrintWriter skippedFile(Path csv) throws IOException {
    var file = new PrintWriter(Files.newBufferedWriter(csv), true);
    file.println("figure,n,side,reason");
    return file;
  }

  /**
   * Waits until what the command before has begun in the kernel is over. The first move of a process into a cgroup
   * waits for a grace period of RCU, some 10 ms, and those within the next 15 ms do not: without a pause, one side
   * rides on the wait of the other.
   */
  void pause() throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(size.pauseMillis());
  }

  /** Whether the floor is asked for, too. */
  boolean floor() {
    return sides.contains(Side.FLOOR);
  }

  /** The sides that have a shim which a warm run may find. */
  List<Side> shims() {
    return sides.stream().filter(side -> side != Side.FLOOR && side != Side.LOOM_EACH).toList();
  }

  /** The sides that have a shim, and the one with a JVM for each container, which is always cold. */
  List<Side> allShims() {
    return sides.stream().filter(side -> side != Side.FLOOR).toList();
  }

  /** Notes and says that something is not measured. */
  void skip(Figure figure, int n, Side side, String reason) {
    skipped.println(figure.key() + "," + n + "," + side.name() + "," + reason.replace(',', ';'));
    say("    skipped: " + figure.plainTitle(n) + ", " + side.title() + ": " + reason);
  }

  /** A container that sleeps for each side that has a shim, in the order of the sides. */
  Map<Side, String> sleepers() throws IOException, InterruptedException {
    var ids = new LinkedHashMap<Side, String>();
    for (Side side : shims()) {
      ids.put(side, site.sleeper(side));
    }
    return ids;
  }

  /** A container of each side that keeps a shim alive which serves several; all are ended with {@link Site#end}. */
  List<String> keepers() throws IOException, InterruptedException {
    var ids = new ArrayList<String>();
    for (Side side : shims()) {
      if (side.shared()) {
        ids.add(site.sleeper(side));
      }
    }
    return ids;
  }

  /** Tells standard error how far it is; {@code measure.sh} has the form of the lines. */
  public static void say(String what) {
    LOGGER.info(what);
  }
}
