package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which classes have a mutable static, and why: what is one for the whole process says so, all else is a field. */
final class StaticsTest {
  private static final Path MAIN = Path.of("src/main/java/io/loomshim");

  private static final Pattern STATIC =
      Pattern.compile("^\\s+(public |private |protected )?static (?!final )[^(]*[;=].*");
  private static final Pattern STATIC_MUTABLE = Pattern.compile("^\\s+(public |private |protected )?static final "
      + "((Concurrent\\w+|Atomic\\w+|\\w*Lock|Condition|Semaphore|CountDownLatch|ThreadLocal)(<.*>)? \\w+ ="
      + "|\\w+ SHARED =|.*= ((new (Array|Hash|Linked|Tree|Enum|Identity)\\w+)|ConcurrentHashMap\\.|Budget\\.)).*");

  /** What a class says of itself that has a mutable static: that there is one for the whole process, and why. */
  private static final String REGISTRY = "registry of the process";

  /** Mutable statics whose classes do not say so, each with its reason. */
  private static final Map<String, String> STATICS = Map.ofEntries(
      Map.entry("cgroup/Cgroup.java", "mounts: where the machine's cgroups are mounted, read once"),
      Map.entry("cgroup/HugePages.java", "known: which sizes the machine has, read once"),
      Map.entry("container/Undo.java", "PENDING: what is taken back, for those who ask whether something is"),
      Map.entry("log/Log.java", "where lines go, and whether those for debugging do: set once at the start"),
      Map.entry("metrics/Latency.java", "GROWING: a lock that is taken at the first operation of each kind"),
      Map.entry("metrics/Shortages.java", "NOW: what the machine is short of"));

  private static TreeMap<String, String> sources() throws IOException {
    var sources = new TreeMap<String, String>();
    try (Stream<Path> files = Files.walk(MAIN)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        sources.put(MAIN.relativize(file).toString(), Files.readString(file));
      }
    }
    assertTrue(sources.size() > 100, "no sources below " + MAIN.toAbsolutePath());
    return sources;
  }

  @Test
  void whatIsMutableAndStaticIsARegistryOfTheProcess() throws Exception {
    var found = new ArrayList<String>();
    for (var source : sources().entrySet()) {
      String name = source.getKey();
      List<String> statics = source.getValue().replaceAll("(?s)/\\*.*?\\*/", "").replaceAll("//.*", "").lines()
          .filter(line -> STATIC.matcher(line).matches() || STATIC_MUTABLE.matcher(line).matches()).toList();
      boolean told = source.getValue().replaceAll("[\\s*]+", " ").contains(REGISTRY);
      if (!statics.isEmpty() && !told && !STATICS.containsKey(name)) {
        found.add(name + " has a mutable static, " + statics.getFirst().strip()
            + " - make it a field, or say that the class is a " + REGISTRY + " and why");
      } else if (statics.isEmpty() && (told || STATICS.containsKey(name))) {
        found.add(name + " has no mutable static, but is said to be a " + REGISTRY);
      }
    }
    assertEquals(List.of(), found);
  }
}
