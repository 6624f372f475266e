package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Criu;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.EventLog;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.TestImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a user of ctr sees, command by command, beside the Go shim. */
final class CtrIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  /** A group of figures; a figure that is 0, as a time that is too short to count, is left out of the JSON. */
  private static final Pattern GROUP = Pattern.compile("\"([a-zA-Z_]+)\":\\s*\\{");
  /** Counts the tenths of a second of its life. */
  private static final String[] COUNTING =
      {"sh", "-c", "i=0; while sleep 0.1; do i=$((i+1)); echo $i >/tmp/count.new; mv /tmp/count.new /tmp/count; done"};

  private EventLog log;

  @BeforeEach
  void subscribe() {
    log = EventLog.open(BED.ctr());
  }

  @AfterEach
  void unsubscribe() {
    log.close();
  }

  /** The exit status and what is printed, without what differs between two runs. */
  private static String shown(String id, Exec.Result result) {
    return (result.exit() + " " + Differential.plain(result.text() + result.errors(), id))
        .replaceAll("time=\\S+ ", "").replaceAll("\\b\\d{3,}\\b", "N").replaceAll(" +", " ").strip();
  }

  private static String tasks(String id, String... arguments) {
    var words = new ArrayList<>(List.of("tasks"));
    words.addAll(List.of(arguments));
    return shown(id, BED.ctr().call(words.toArray(String[]::new)));
  }

  private static String exec(String id, String... command) {
    var words = new ArrayList<>(List.of("tasks", "exec", "--fifo-dir", BED.directory().resolve("fifo").toString(),
        "--exec-id", "e", id));
    words.addAll(List.of(command));
    return shown(id, BED.ctr().call(words.toArray(String[]::new)));
  }

  private static Set<String> groups(Exec.Result result) {
    var found = new TreeSet<String>();
    GROUP.matcher(result.ok().text()).results().forEach(match -> found.add(match.group(1)));
    return found;
  }

  @Test
  void everyCommandShowsTheSameAndGivesTheSameEvents() {
    var seen = Differential.same(shim -> {
      String id = Names.id("life");
      var lines = new ArrayList<Object>();
      BED.ctr().detached(shim, id, "sleep", "1000");
      lines.add(tasks(id, "ls"));
      lines.add(tasks(id, "ps", id));
      lines.add(groups(BED.ctr().call("tasks", "metrics", "--format", "json", id)));
      lines.add(exec(id, "sh", "-c", "echo out; echo err >&2; exit 3"));
      lines.add(exec(id, "/nonexistent"));
      lines.add(tasks(id, "resume", id));
      lines.add(tasks(id, "pause", id));
      lines.add(tasks(id, "ls"));
      lines.add(tasks(id, "pause", id));
      lines.add(tasks(id, "rm", id));
      lines.add(tasks(id, "resume", id));
      lines.add(tasks(id, "kill", "--exec-id", "e", id));
      lines.add(tasks(id, "kill", "--signal", "KILL", id));
      Await.status(BED.ctr(), id, "STOPPED");
      lines.add(tasks(id, "ls"));
      lines.add(tasks(id, "kill", "--signal", "KILL", id));
      lines.add(exec(id, "true"));
      lines.add(tasks(id, "rm", id));
      lines.add(tasks(id, "rm", id));
      BED.ctr().deleteContainer(id).ok();
      lines.addAll(Differential.plain(log.until(BED.ctr().namespace(), id, "/tasks/delete"), id));
      return lines;
    });
    assertTrue(seen.get(0).toString().contains("ID N RUNNING"), seen::toString);
    assertTrue(seen.get(2).toString().contains("memory"), seen::toString);
    assertEquals("3 out\nerr", seen.get(3));
  }

  @Test
  void aContainerSavedInAnImageGoesOnFromThereWhenItIsRestored() {
    Criu.assumeItWorks();
    Differential.same(shim -> {
      String id = Names.id("saved");
      String image = new TestImage(BED).imported();
      var lines = new ArrayList<Object>();
      BED.ctr().call("run", "--detach", "--snapshotter", "native", "--runtime", shim.runtime(), "--fifo-dir",
          BED.directory().resolve("fifo").toString(), image, id, COUNTING[0], COUNTING[1], COUNTING[2]).ok();
      Await.until("it counts", () -> count(id) >= 5);
      lines.add(shown(id, BED.ctr().call("containers", "checkpoint", "--image", "--rw", "--task", id, "saved-" + id)));
      int before = count(id);
      assertTrue(before >= 5, () -> "began anew when it was saved: " + before);
      lines.add(BED.ctr().end(id));
      lines.add(shown(id, BED.ctr().call("containers", "restore", "--rw", "--live", id, "saved-" + id)));
      Await.until("it goes on", () -> count(id) > 5);
      assertTrue(count(id) < before + 1000, "another counter");
      lines.add(tasks(id, "ls"));
      lines.add(BED.ctr().end(id));
      BED.ctr().call("images", "rm", image, "saved-" + id).ok();
      var events = log.until(BED.ctr().namespace(), id, "/tasks/delete");
      removeFifos(events);
      for (String line : Differential.plain(events, id)) {
        lines.add(line.replaceAll("/snapshots/\\d+", "/snapshots/N").replaceAll("ctrd-checkpoint\\d+", "CHECKPOINT"));
      }
      return lines;
    });
  }

  /** Restoring, ctr makes fifos in the one place that it knows, and may leave them to a later ctr. */
  private static void removeFifos(List<EventLog.Event> events) {
    for (var event : events) {
      String stdin = event.text("stdin");
      if (!event.text("checkpoint").isEmpty() && !stdin.isEmpty() && Files.exists(Path.of(stdin).getParent())) {
        Scratch.remove(Path.of(stdin).getParent());
      }
    }
  }

  /** How far the first process has counted; 0 when it has not begun. */
  private static int count(String id) {
    try {
      return Integer.parseInt(Files.readString(Path.of("/proc/" + BED.ctr().pid(id) + "/root/tmp/count")).strip());
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
