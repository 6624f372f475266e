package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.Shims;
import io.loomshim.integration.harness.Typist;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The threads of a daemon with three containers, as {@code jcmd} shows them: one has a terminal, one an exec, and of
 * one somebody waits for the end. docs/LOOM.md explains this dump, which stays in {@code target/threads.txt}.
 */
final class ThreadDumpIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final Path DUMP = Path.of("target", "threads.txt").toAbsolutePath();
  private static final Path PAGE = Path.of("docs", "LOOM.md");
  private static final Duration JCMD_MAX = Await.seconds(30);

  /** {@code #41 "exit/web-3" virtual}, on newer JDKs with the state behind it. */
  private static final Pattern VIRTUAL = Pattern.compile("^#\\d+ \"([^\"]*)\" virtual\\b.*", Pattern.MULTILINE);

  /** Containers that are watched for want of memory: a thread for each on cgroup v1, one for all on v2. */
  private static final String OOM = "oom";

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("Go shims have no such dump");
  }

  /** Names of virtual threads, the numbers of containers and connections left out. */
  private static TreeSet<String> names(String text) {
    var names = new TreeSet<String>();
    var matcher = VIRTUAL.matcher(text);
    while (matcher.find()) {
      String name = matcher.group(1).replaceAll("-\\d+(?=/|$)", "").replaceAll("/c\\d+$", "/cN");
      if (!name.startsWith(OOM) && !name.startsWith("deadlines/") && !name.startsWith("events/") && !name.isEmpty()) {
        names.add(name);
      }
    }
    return names;
  }

  private static String dump(long daemon) {
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of(Install.jdk() + "/bin/jcmd",
        Long.toString(daemon), "Thread.dump_to_file", "-overwrite", DUMP.toString())).await(JCMD_MAX).ok();
    try {
      return Files.readString(DUMP);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void namesTellContainerProcessAndCallAndTheDocumentationShowsThemAll() throws Exception {
    try (var shims = new Shims(BED.directory().resolve("dump"), BED.rootfs());
        var shell = shims.start(SHIM, shims.bundle(Names.id("shell"), "sh").withTerminal());
        var typist = new Typist(BED.directory(), "dump");
        var web = shims.start(SHIM, shims.bundle(Names.id("web"), "sleep", "1000"));
        var job = shims.start(SHIM, shims.bundle(Names.id("job"), "sleep", "1000"))) {
      shell.create(typist::on);
      shell.start();
      web.create();
      long daemon = Proc.info(web.start()).orElseThrow().parent();
      web.exec("probe", "sleep", "1000");
      web.start("probe");
      job.create();
      job.start();
      var status = Await.meanwhile(() -> job.await("").getExitStatus());
      Await.until("the Wait is under way", () -> dump(daemon).contains("\"rpc/Wait/"));
      assertEquals(names(Files.readString(PAGE)), names(Files.readString(DUMP)), "in " + PAGE + " and in " + DUMP);
      assertTrue(Files.readString(DUMP).contains("\"poller\""));
      assertEquals(137, job.end());
      assertEquals(137, status.get());
      assertEquals(137, web.end());
      assertEquals(137, shell.end());
    }
  }
}
