package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The style of this project, where it can be read off the sources. Each violation is one sentence. */
class TidyTest {
  private static final Path MAIN = Path.of("src/main/java/io/loomshim");
  private static final Path TEST = Path.of("src/test/java/io/loomshim");
  private static final Path BENCH = Path.of("bench/src/main/java/io/loomshim/bench");
  private static final Path BENCH_TEST = Path.of("bench/src/test/java/io/loomshim/bench");

  /** Longer classes hold more than one thing. */
  private static final int CLASS_LINES_MAX = 300;

  /** A test may be longer: it has many cases of one thing. */
  private static final int TEST_LINES_MAX = 500;

  private static final int LINE_COLUMNS_MAX = 120;

  /** Rooms by floor: a room may use those on lower floors only. */
  private static final Map<String, Integer> FLOORS =
      Map.ofEntries(
          Map.entry("log", 0), Map.entry("errors", 0), Map.entry("threads", 1), Map.entry("metrics", 1),
          Map.entry("json", 2), Map.entry("toml", 2), Map.entry("linux", 2),
          Map.entry("ttrpc", 3), Map.entry("process", 3), Map.entry("record", 3),
          Map.entry("event", 4), Map.entry("stdio", 4), Map.entry("mount", 4), Map.entry("shelf", 4),
          Map.entry("rundir", 4), Map.entry("takeover", 5),
          Map.entry("runc", 5), Map.entry("cgroup", 5), Map.entry("checkpoint", 6),
          Map.entry("container", 7), Map.entry("task", 8), Map.entry("inspect", 9), Map.entry("cli", 10),
          Map.entry("daemon", 10), Map.entry("training", 11));

  /** The benchmarks' packages by floor, likewise. */
  private static final Map<String, Integer> BENCH_FLOORS =
      Map.of("figure", 0, "proc", 0, "chart", 1, "rpc", 1, "site", 2, "report", 2, "scenario", 3, "soak", 3, "loom", 4,
          "loop", 5);

  /** What the benchmarks may use besides the JDK and one another: messages, frames, a log, and what starts programs. */
  private static final Pattern FOR_BENCH =
      Pattern.compile("java\\..*|com\\.google\\.protobuf\\..*|org\\.slf4j\\..*"
          + "|io\\.loomshim\\.(bench|linux|process|proto)\\..*|io\\.loomshim\\.ttrpc\\.Frame");

  /** The one that is a daemon itself, with an event loop. */
  private static final String BENCH_DAEMON = "loop";

  private static final Pattern FOR_BENCH_DAEMON =
      Pattern.compile("io\\.netty\\..*|io\\.loomshim\\.(container|daemon|errors|task|training|ttrpc)\\..*");

  /** Messages generated from src/main/proto; every room may use them. */
  private static final String MESSAGES = "proto";

  /** Programs that answer a user or the launcher on standard output. */
  private static final List<String> PROGRAMS = List.of("daemon/Main.java", "daemon/StartOptions.java",
      "cli/Main.java", "cli/Upgrade.java");

  private static final Pattern ROOM = Pattern.compile("\\bio\\.loomshim\\.([a-z]+)\\b");
  private static final Pattern BENCH_ROOM = Pattern.compile("\\bio\\.loomshim\\.bench\\.([a-z]+)\\b");
  private static final Pattern IMPORT = Pattern.compile("^import (static )?([\\w.]+);");
  private static final Pattern NEW_THREAD =
      Pattern.compile("\\bThread\\.(of|start)(Virtual|Platform)|\\bnew Thread\\b|\\bExecutors\\.|\\bForkJoinPool\\b"
          + "|\\bCompletableFuture\\.(run|supply)Async|\\bnew Timer\\b");
  private static final Pattern NATIVE =
      Pattern.compile("\\bcom\\.kenai\\.jffi|\\bjnr\\.|\\bjava\\.lang\\.foreign|\\bSystem\\.load(Library)?\\b");
  private static final Pattern TOP_LEVEL =
      Pattern.compile("^(public |abstract |final |sealed |non-sealed )*(class|interface|record|enum|@interface) .*");
  private static final Pattern FOR_OTHERS = Pattern.compile("^  public .*(class|interface|record|enum) .*");

  private static List<Source> all() throws IOException {
    var all = Source.below(MAIN);
    all.addAll(Source.below(TEST));
    all.addAll(Source.below(BENCH));
    all.addAll(Source.below(BENCH_TEST));
    return all;
  }

  /** Says {@code sentence} of each line of code that {@code pattern} finds, in files that are not excepted. */
  private static void none(List<Source> sources, Pattern pattern, List<String> except, String sentence) {
    var found = new ArrayList<String>();
    for (Source source : sources) {
      for (int i = 0; i < source.code().size() && !except.contains(source.name()); i++) {
        if (pattern.matcher(source.code().get(i)).find()) {
          found.add(source.name() + ":" + (i + 1) + " " + sentence);
        }
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void nothingIsSynchronized() throws Exception {
    none(all(), Pattern.compile("\\bsynchronized\\b"), List.of("threads/Pinned.java"),
        "pins a virtual thread: use a ReentrantLock");
  }

  @Test
  void threadsAreMadeInOnePlace() throws Exception {
    none(Source.below(MAIN), NEW_THREAD, List.of("threads/Threads.java"),
        "makes a thread: let Threads make and name it");
  }

  @Test
  void testsDoNotSleep() throws Exception {
    List<Source> tests = Source.below(TEST);
    tests.addAll(Source.below(BENCH_TEST));
    none(tests, Pattern.compile("\\bThread\\.sleep|\\b[A-Z]+S\\.sleep\\("), List.of(),
        "sleeps: wait for what must happen, with a latch or awaitility");
  }

  @Test
  void nativeCallsAreMadeInLinuxOnly() throws Exception {
    List<Source> others = Source.below(MAIN).stream().filter(source -> !source.room().equals("linux")).toList();
    none(others, NATIVE, List.of(), "calls native code: only the room linux does");
  }

  @Test
  void theDaemonKeepsItsStandardStreamsClean() throws Exception {
    none(Source.below(MAIN), Pattern.compile("\\bSystem\\.out\\b|\\bprintStackTrace\\b"), PROGRAMS,
        "prints: containerd reads what the launcher's children print; use Log");
  }

  @Test
  void roomsUseOnlyTheRoomsBelow() throws Exception {
    assertEquals(List.of(), usedFromAbove(Source.below(MAIN), FLOORS, ROOM));
  }

  @Test
  void packagesOfTheBenchmarksUseOnlyThoseBelow() throws Exception {
    assertEquals(List.of(), usedFromAbove(Source.below(BENCH), BENCH_FLOORS, BENCH_ROOM));
  }

  private static List<String> usedFromAbove(List<Source> sources, Map<String, Integer> floors, Pattern pattern) {
    var found = new ArrayList<String>();
    for (Source source : sources) {
      int floor = source.room().isEmpty() ? 0 : floors.getOrDefault(source.room(), -1);
      if (floor < 0) {
        found.add(source.name() + " is in a room that this test does not know: give it a floor");
      }
      for (int i = 0; i < source.code().size(); i++) {
        var used = pattern.matcher(source.code().get(i));
        while (used.find()) {
          String room = used.group(1);
          if (!room.equals(source.room()) && !room.equals(MESSAGES) && floors.getOrDefault(room, 99) >= floor) {
            found.add(source.name() + ":" + (i + 1) + " uses the room " + room + ", which is not below its own");
          }
        }
      }
    }
    return found;
  }

  /** They are compiled together with the tests, but must run without them. */
  @Test
  void benchmarksUseNoTestsAndTestsNoBenchmarks() throws Exception {
    none(Source.below(TEST), BENCH_ROOM, List.of(), "uses a benchmark");
    var found = new ArrayList<String>();
    for (Source source : Source.below(BENCH)) {
      for (int i = 0; i < source.code().size(); i++) {
        var used = IMPORT.matcher(source.code().get(i));
        if (used.find() && !mayBenchUse(used.group(2))
            && !(source.name().startsWith(BENCH_DAEMON + "/") && FOR_BENCH_DAEMON.matcher(used.group(2)).matches())) {
          found.add(source.name() + ":" + (i + 1) + " uses " + used.group(2) + ", which benchmarks may not");
        }
      }
    }
    assertEquals(List.of(), found);
  }

  /** A class of a test may have the package of one of the product. */
  private static boolean mayBenchUse(String type) {
    String file = type.substring(type.lastIndexOf('.') + 1) + ".java";
    String room = type.replaceFirst("^io\\.loomshim\\.", "").replaceFirst("\\..*", "");
    boolean ours = type.startsWith("io.loomshim.") && !room.equals(MESSAGES) && !room.equals("bench");
    return FOR_BENCH.matcher(type).matches() && (!ours || Files.exists(MAIN.resolve(room).resolve(file)));
  }

  @Test
  void noFileAndNoLineIsTooLong() throws Exception {
    var found = new ArrayList<String>();
    Set<Source> product = Set.copyOf(Source.below(MAIN));
    for (Source source : all()) {
      if (source.lines().size() > (product.contains(source) ? CLASS_LINES_MAX : TEST_LINES_MAX)) {
        found.add(source.name() + " has " + source.lines().size() + " lines: divide it");
      }
      for (int i = 0; i < source.lines().size(); i++) {
        String line = source.lines().get(i);
        if (line.length() > LINE_COLUMNS_MAX) {
          found.add(source.name() + ":" + (i + 1) + " has " + line.length() + " columns: break it");
        }
        if (line.indexOf('\t') >= 0 || line.endsWith(" ")) {
          found.add(source.name() + ":" + (i + 1) + " has a tab, or a blank at its end");
        }
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void nothingIsPutOff() throws Exception {
    var words = Pattern.compile("\\b(TO" + "DO|FIX" + "ME)\\b");
    var found = new ArrayList<String>();
    for (Source source : all()) {
      for (int i = 0; i < source.lines().size(); i++) {
        if (words.matcher(source.lines().get(i)).find()) {
          found.add(source.name() + ":" + (i + 1) + " puts something off: do it, or open an issue");
        }
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void everyTypeSaysWhatItIs() throws Exception {
    var found = new ArrayList<String>();
    List<Source> sources = Source.below(MAIN);
    sources.addAll(Source.below(BENCH));
    for (Source source : sources) {
      for (int i = 0; i < source.code().size(); i++) {
        String line = source.code().get(i);
        boolean type = TOP_LEVEL.matcher(line).matches() || FOR_OTHERS.matcher(line).matches();
        if (type && !documented(source.lines(), i)) {
          found.add(source.name() + ":" + (i + 1) + " has no Javadoc: say what it is");
        }
      }
    }
    assertEquals(List.of(), found);
  }

  /** Whether a comment ends right above line {@code at}, annotations aside. */
  private static boolean documented(List<String> lines, int at) {
    int above = at - 1;
    while (above >= 0 && lines.get(above).strip().startsWith("@")) {
      above--;
    }
    return above >= 0 && lines.get(above).strip().endsWith("*/");
  }
}
