package io.loomshim.integration.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Plays the same scenario with the Go shim and with the shim under test and compares what can be
 * seen. When the shim under test is the Go shim itself this proves that the comparison is stable.
 */
public final class Differential {
  private static final Pattern PID = Pattern.compile("\"pid\":(\\d+)");

  private Differential() {}

  /** Fails unless {@code scenario} yields the same with both shims; returns what it yields. */
  public static <T> T same(Function<Shim, T> scenario) {
    T expected = scenario.apply(Shim.reference());
    T actual = scenario.apply(Shim.tested());
    assertEquals(expected, actual, () -> Shim.tested() + " differs from " + Shim.reference());
    return actual;
  }

  /** {@code text} without what differs between any two runs: the id, our directories, numbers of FIFO directories. */
  public static String plain(String text, String id) {
    return text.replace(id, "ID").replaceAll(Pattern.quote(Scratch.BASE.toString()) + "/[a-z]+\\d+", "BASE")
        .replaceAll(Pattern.quote(Names.PREFIX) + "\\d+", "NS").replaceAll("/fifo/\\d+/", "/fifo/N/");
  }

  /** Events as lines, with pids numbered in the order of their first appearance and times left out. */
  public static List<String> plain(List<EventLog.Event> events, String id) {
    var lines = new ArrayList<String>();
    var pids = new ArrayList<String>();
    for (var event : events) {
      String json = PID.matcher(event.json()).replaceAll(match -> {
        if (!pids.contains(match.group(1))) {
          pids.add(match.group(1));
        }
        return Matcher.quoteReplacement("\"pid\":P" + pids.indexOf(match.group(1)));
      });
      json = json.replaceAll("\"exited_at\":(\\{[^}]*}|\"[^\"]*\")", "\"exited_at\":T");
      lines.add(event.topic() + " " + plain(json, id));
    }
    return lines;
  }
}
