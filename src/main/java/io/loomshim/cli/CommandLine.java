package io.loomshim.cli;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line of a daemon, as /proc has it: a java with its options, {@code -jar FILE}, and what the launcher
 * tells the daemon. A value; pure.
 *
 * @param words the program and its arguments
 */
record CommandLine(List<String> words) {
  /** What a daemon is told whose containers outlive it. */
  static final String TAKE_OVER = "-take-over";

  private static final String JAR = "-jar";

  /** What tells a daemon apart from others of the same build and settings, and stays when it is handed over. */
  private static final List<String> OWN = List.of("namespace", "address", "run-dir", "mode");

  /** What a daemon that has taken over is told besides, each with a number. */
  private static final List<String> SUCCESSION = List.of("-inherit", "-stand-by");

  CommandLine {
    words = List.copyOf(words);
  }

  /** Of the text of {@code /proc/PID/cmdline}. */
  static CommandLine of(byte[] text) {
    return new CommandLine(List.of(new String(text, StandardCharsets.UTF_8).split("\0")));
  }

  /** Whether it is one of a daemon. */
  boolean ofDaemon() {
    return words.contains(JAR) && !value("namespace").isEmpty() && !value("run-dir").isEmpty();
  }

  /** What the daemon has been told as {@code -NAME}; empty for nothing. */
  String value(String name) {
    int at = words.indexOf("-" + name);
    return at < 0 || at + 1 >= words.size() ? "" : words.get(at + 1);
  }

  boolean has(String option) {
    return words.contains(option);
  }

  /**
   * The next daemon's command line, for one that has this: {@code template} with what stays.
   *
   * @param template has {@code @namespace@} and so on in the place of what is this daemon's own
   */
  CommandLine next(List<String> template) {
    var next = new ArrayList<String>();
    for (String word : template) {
      next.add(own(word));
    }
    // containerd's own choice, and what a daemon that keeps connections for the next one cannot give up
    for (String option : List.of("-debug", TAKE_OVER)) {
      if (has(option) && !next.contains(option)) {
        next.add(option);
      }
    }
    return new CommandLine(next);
  }

  private String own(String word) {
    for (String name : OWN) {
      String place = "@" + name + "@";
      if (word.contains(place)) {
        return word.replace(place, value(name));
      }
    }
    return word;
  }

  /** Whether a daemon with this command line would be the same as one with {@code other}. */
  boolean sameAs(CommandLine other) {
    return essential().equals(other.essential());
  }

  private List<String> essential() {
    var essential = new ArrayList<String>();
    for (int i = 0; i < words.size(); i++) {
      if (SUCCESSION.contains(words.get(i))) {
        i++;
      } else {
        essential.add(words.get(i));
      }
    }
    essential.sort(null);
    return essential;
  }
}
