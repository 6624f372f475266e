package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * Looks for virtual threads of a daemon that held their carrier while they waited. Needs daemons
 * that run with {@link #javaOptions}; only the JDKs before 24 pin in {@code synchronized}.
 */
final class Pinning {
  private static final String EVENT = "jdk.VirtualThreadPinned";
  private static final Duration DUMP_MAX = Duration.ofSeconds(30);

  private Pinning() {}

  /**
   * Records pins of 20 ms and longer, with stack traces, and nothing else; what the JVM writes meanwhile stays below
   * {@link Scratch#BASE}, where it is removed even if the JVM is killed.
   */
  static List<String> javaOptions() {
    return List.of("-XX:FlightRecorderOptions:repository=" + Scratch.BASE.resolve("jfr"),
        "-XX:StartFlightRecording:name=pins,settings=none,+" + EVENT + "#enabled=true,+" + EVENT
            + "#threshold=20ms,+" + EVENT + "#stackTrace=true");
  }

  /** Saves the recording of the daemon and returns each wait of ours that pinned, as a text with its stack. */
  static List<String> problems(long pid) {
    Path file = Scratch.BASE.resolve("pins-" + pid + ".jfr");
    Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), List.of(Install.jdk() + "/bin/jcmd",
        Long.toString(pid), "JFR.dump", "name=pins", "filename=" + file)).await(DUMP_MAX).ok();
    if (!Files.exists(file)) {
      return List.of("daemon " + pid + " wrote no recording");
    }
    try (var recording = new RecordingFile(file)) {
      var found = new ArrayList<String>();
      while (recording.hasMoreEvents()) {
        var event = recording.readEvent();
        if (event.getEventType().getName().equals(EVENT) && waitsForUs(event)) {
          found.add("process " + pid + " pinned a carrier for " + event.getDuration() + stack(event));
        }
      }
      return found;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String stack(RecordedEvent event) {
    var text = new StringBuilder();
    if (event.getStackTrace() != null) {
      for (var frame : event.getStackTrace().getFrames()) {
        text.append("\n    at ").append(frame.getMethod().getType().getName()).append('.')
            .append(frame.getMethod().getName()).append(':').append(frame.getLineNumber());
      }
    }
    return text.toString();
  }

  /** True unless the thread waited for the JVM's own loading and initialising of a class. */
  private static boolean waitsForUs(RecordedEvent event) {
    if (event.getStackTrace() == null) {
      return true;
    }
    for (var frame : event.getStackTrace().getFrames()) {
      String type = frame.getMethod().getType().getName();
      if (type.startsWith("java.lang.ClassLoader") || type.startsWith("jdk.internal.loader.")
          || frame.getMethod().getName().equals("<clinit>")) {
        return false;
      }
      if (type.startsWith("io.loomshim.")) {
        return true;
      }
    }
    return false;
  }
}
