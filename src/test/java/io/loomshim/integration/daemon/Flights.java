package io.loomshim.integration.daemon;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Install;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** A recording of JFR in a daemon that runs already, as an operator makes one with jcmd. Used by one thread. */
final class Flights {
  private static final String NAME = "operator";
  private static final Duration LIMIT = Await.seconds(60);

  private final long pid;
  private final Path directory;

  private Flights(long pid, Path directory) {
    this.pid = pid;
    this.directory = directory;
  }

  /** Begins to record; files go to {@code directory}. */
  static Flights start(long pid, Path directory) {
    var flight = new Flights(pid, directory);
    flight.jcmd("JFR.start", "name=" + NAME);
    return flight;
  }

  private void jcmd(String... words) {
    var command = new ArrayList<>(List.of(Install.jdk() + "/bin/jcmd", Long.toString(pid)));
    command.addAll(List.of(words));
    Exec.start(directory, new Exec.Setting(directory, Map.of()), command).await(LIMIT).ok();
  }

  /** What has been recorded of one kind of event, in the order of their beginnings. */
  List<RecordedEvent> dump(String event) {
    Path file = file();
    try {
      List<RecordedEvent> events = RecordingFile.readAllEvents(file);
      Files.delete(file);
      return events.stream().filter(e -> e.getEventType().getName().equals(event))
          .sorted(Comparator.comparing(RecordedEvent::getStartTime)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file with all that has been recorded so far. */
  Path file() {
    Path file = directory.resolve("flight-" + System.nanoTime() + ".jfr");
    jcmd("JFR.dump", "name=" + NAME, "filename=" + file);
    return file;
  }

  /** Ends the recording; what was recorded is not kept. */
  void stop() {
    jcmd("JFR.stop", "name=" + NAME);
  }
}
