package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.TestImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Types the commands of docs/QUICKSTART.md and sees the output that the page shows. Installation and download are left
 * out: the harness has installed by the same script, and there is an image of its own.
 */
final class QuickStartIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Pattern BLOCK = Pattern.compile("(?ms)^```console\n(.*?)^```$");
  private static final String IMAGE = "docker.io/library/busybox:latest";

  /** One command, and the lines that it prints; {@code …} stands for any number of lines. */
  private record Typed(String command, List<String> output) {
    boolean elsewhere() {
      return command.startsWith("packaging/") || command.startsWith("ctr image pull ");
    }

    /** What differs from run to run is any word: one with a digit, a unit of time, and the namespace. */
    Pattern pattern() {
      var text = new StringBuilder();
      for (String line : output) {
        if (line.equals("…")) {
          text.append("(?s:.*)");
          continue;
        }
        for (String word : line.strip().split(" +")) {
          boolean varies = word.matches(".*\\d.*|ms|s") || word.equals("default");
          text.append(varies ? "\\S+" : Pattern.quote(word)).append(" *");
        }
        text.append("\n");
      }
      return Pattern.compile(text.toString());
    }
  }

  private static List<Typed> page() throws Exception {
    var page = new ArrayList<Typed>();
    var block = BLOCK.matcher(Files.readString(Path.of("docs/QUICKSTART.md")));
    while (block.find()) {
      for (String line : block.group(1).lines().toList()) {
        if (line.startsWith("# ")) {
          page.add(new Typed(line.substring(2), new ArrayList<>()));
        } else {
          page.getLast().output().add(line);
        }
      }
    }
    return page;
  }

  @Test
  void everyCommandPrintsWhatThePageShows() throws Exception {
    String image = new TestImage(BED).imported();
    String fifos = " --fifo-dir " + BED.directory().resolve("fifo") + " ";
    var setting = new Exec.Setting(BED.directory(), Map.of("PATH", Containerd.path(), "CONTAINERD_ADDRESS",
        BED.containerd().address().toString(), "CONTAINERD_NAMESPACE", BED.ctr().namespace()));
    int typed = 0;
    for (Typed each : page()) {
      if (each.elsewhere()) {
        continue;
      }
      String command = each.command().replace(IMAGE, image).replace("ctr run ", "ctr run --snapshotter native" + fifos)
          .replace("ctr task exec ", "ctr task exec" + fifos);
      var result = Exec.start(BED.directory(), setting, List.of("sh", "-c", command + " 2>&1")).await(Ctr.LIMIT);
      assertEquals(0, result.exit(), result::toString);
      String text = result.text().isEmpty() || result.text().endsWith("\n") ? result.text() : result.text() + "\n";
      assertTrue(each.pattern().matcher(text).matches(), each.command() + " printed\n" + text);
      typed++;
    }
    assertTrue(typed >= 7, typed + " commands");
  }
}
