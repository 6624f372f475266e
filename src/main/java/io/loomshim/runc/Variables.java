package io.loomshim.runc;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The environment of one container's commands. The containers of one containerd have the same as a rule, but for the
 * directory in which their {@code start} was called, and 10 KB are much for each of a thousand: so those that follow
 * one another share it. Immutable; the last one is a registry of the process. Any thread may make one.
 */
final class Variables {
  /** runc would report its own readiness to the service manager as that of containerd (sd_notify(3)). */
  private static final String NOTIFY_SOCKET = "NOTIFY_SOCKET";

  /** The shell of {@code start} sets it to the bundle, if it is in the environment at all. */
  private static final String DIRECTORY = "PWD";

  private static volatile Last last = new Last(Map.of(), new Variables(List.of(), "", ""));

  private final List<String> shared;
  private final String path; // shared, too
  private final String directory; // empty: there is none

  /** What was made last, and of what. */
  private record Last(Map<String, String> source, Variables made) {}

  private Variables(List<String> shared, String path, String directory) {
    this.shared = shared;
    this.path = path;
    this.directory = directory;
  }

  /** Those of {@code environment}, which is not changed any more. */
  static Variables of(Map<String, String> environment) {
    Last before = last;
    if (before.source == environment) { // all of a daemon that takes over
      return before.made;
    }
    var lines = new ArrayList<String>(environment.size());
    String directory = "";
    for (var variable : environment.entrySet()) {
      String line = variable.getKey() + "=" + variable.getValue();
      if (variable.getKey().equals(DIRECTORY)) {
        directory = line;
      } else if (!variable.getKey().equals(NOTIFY_SOCKET)) {
        lines.add(line);
      }
    }
    var made = before.made.shared.equals(lines) ? new Variables(before.made.shared, before.made.path, directory)
        : new Variables(List.copyOf(lines), environment.getOrDefault("PATH", ""), directory);
    last = new Last(environment, made);
    return made;
  }

  /** Where programs are looked for, as the variable PATH has it. */
  String path() {
    return path;
  }

  /** {@code NAME=value} each. */
  List<String> lines() {
    if (directory.isEmpty()) {
      return shared;
    }
    var lines = new ArrayList<String>(shared.size() + 1);
    lines.addAll(shared);
    lines.add(directory);
    return lines;
  }
}
