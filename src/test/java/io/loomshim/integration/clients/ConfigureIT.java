package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What packaging/kubernetes/configure.sh makes of a node's configuration, as containerd reads it. */
@Tag("any-jdk")
final class ConfigureIT {
  private static final boolean SECOND = Containerd.version()[0] >= 2;
  private static final String CRI =
      SECOND ? "plugins.'io.containerd.cri.v1.runtime'" : "plugins.\"io.containerd.grpc.v1.cri\"";
  private static final String VERSION = "version = " + (SECOND ? 3 : 2) + "\n";
  private static final String GIVEN = "# of this node\n" + VERSION + "oom_score = -900\n\n[" + CRI
      + "]\n  max_container_log_line_size = 4711\n[" + CRI
      + ".containerd.runtimes.runc]\n"
      + "  runtime_type = \"io.containerd.runc.v2\"\n[" + CRI
      + ".containerd.runtimes.runc.options]\n  SystemdCgroup = true";

  private Path directory;
  private Path file;

  @BeforeEach
  void make() {
    directory = Scratch.directory("configure");
    file = directory.resolve("config.toml");
  }

  @AfterEach
  void remove() {
    Scratch.remove(directory);
  }

  /** All files below the directory, by name. */
  private Map<String, String> files() {
    var found = new TreeMap<String, String>();
    try (var all = Files.walk(directory)) {
      for (Path path : all.filter(Files::isRegularFile).toList()) {
        found.put(directory.relativize(path).toString(), Files.readString(path));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  /** The configuration as containerd understands it, with quotes of one kind. */
  private String understood() {
    return Exec.start(directory, new Exec.Setting(directory, Map.of()), List.of(Containerd.PROGRAM.toString(),
        "--config", file.toString(), "config", "dump")).await(Ctr.LIMIT).ok().text().replace('\'', '"');
  }

  private static void refused(Exec.Result result, String reason) {
    assertEquals(1, result.exit(), result::toString);
    assertTrue(result.errors().contains(reason), result::toString);
  }

  /** That each of the lines is in the text. */
  private static void has(String text, String... lines) {
    for (String line : lines) {
      assertTrue(text.contains(line), () -> line + " is not in\n" + text);
    }
  }

  @Test
  void theRuntimeIsAddedToWhatThereIsAndUndoLeavesEveryByteAsItWas() throws Exception {
    Files.writeString(file, GIVEN);
    var before = files();
    Configure.run(file, "--option", "BinaryName=/usr/bin/crun").ok();
    String text = understood();
    has(text, "oom_score = -900", "max_container_log_line_size = 4711", ".runtimes.loom]");
    if (SECOND) {
      has(text, "runtime_path = \"" + Shim.tested().program() + "\"", "BinaryName = \"/usr/bin/crun\"");
    } else {
      has(text, "runtime_type = \"io.containerd.loom.v1\"");
      has(files().get("loomshim-options.toml"), "  BinaryName = \"/usr/bin/crun\"\n");
    }
    Configure.run(file, "--undo").ok();
    assertEquals(before, files());
  }

  @Test
  void theShimIsKnownByItsNameIfThatIsAskedFor() throws Exception {
    Files.writeString(file, GIVEN);
    Configure.run(file, "--by-name").ok();
    has(understood(), "runtime_type = \"io.containerd.loom.v1\"");
    // pods of one node are in cgroups of one kind
    has(files().get("loomshim-options.toml"), "  SystemdCgroup = true\n");
  }

  @Test
  void whatIsPrintedIsWhatWouldBeWrittenAndIsNot() throws Exception {
    Files.writeString(file, GIVEN);
    var before = files();
    String printed = Configure.run(file, "--print").ok().text();
    assertEquals(before, files());
    Configure.run(file).ok();
    for (var one : files().entrySet()) {
      if (!one.getValue().equals(before.get(one.getKey()))) {
        has(printed, "+++ " + directory.resolve(one.getKey()) + "\n");
        one.getValue().lines().filter(line -> line.contains("loom")).forEach(line -> has(printed, "+" + line + "\n"));
      }
    }
  }

  @Test
  void aSecondRunReplacesWhatTheFirstHasWritten() throws Exception {
    Files.writeString(file, GIVEN);
    Configure.run(file, "--handler", "first", "--option", "BinaryName=/usr/bin/crun").ok();
    Configure.run(file, "--handler", "second").ok();
    String text = understood();
    assertTrue(text.contains(".runtimes.second]") && !text.contains("first"), text);
    assertFalse(files().values().stream().anyMatch(one -> one.contains("crun")), files()::toString);
    var once = files();
    Configure.run(file, "--handler", "second").ok();
    assertEquals(once, files());
  }

  @Test
  void aConfigurationThatIsMissingIsMadeAndUndone() {
    Configure.run(file).ok();
    assertTrue(understood().contains(".runtimes.loom]"));
    Configure.run(file, "--undo").ok();
    assertEquals(Map.of(), files());
  }

  @Test
  void whatCannotBecomeARuntimeOfCriIsRefusedAndLeftAlone() throws Exception {
    Map<String, String> wrong = Map.of(
        VERSION + "root = [", "does not read",
        VERSION + "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n", "--enable-cri",
        VERSION + "[" + CRI + ".containerd.runtimes.loom]\n  runtime_type = \"io.containerd.runc.v2\"\n",
        "has a runtime loom already",
        VERSION.replaceAll("[23]", "9"), "version");
    for (var one : wrong.entrySet()) {
      Files.writeString(file, one.getKey());
      var before = files();
      refused(Configure.run(file), one.getValue());
      assertEquals(before, files());
    }
    Files.writeString(file, GIVEN);
    refused(Configure.run(file, "--handler", "Not_a_name"), "is no name");
    refused(Configure.run(file, "--option", "BinaryName=a\"b"), "is not of the form");
    assertEquals(Map.of("config.toml", GIVEN), files());
  }

  @Test
  void theDirectoryThatTheConfigurationImportsAlreadyIsUsed() throws Exception {
    assumeTrue(SECOND, "containerd 1 would take the tables of an imported file in place of all that it has");
    String given = "imports = [\"" + directory + "/more.d/*.toml\"]\n" + GIVEN + "\n";
    Files.writeString(file, given);
    Configure.run(file).ok();
    assertEquals(given, files().get("config.toml"));
    assertTrue(files().containsKey("more.d/loomshim.toml"), files()::toString);
    assertTrue(understood().contains("max_container_log_line_size = 4711"));
    Configure.run(file, "--undo").ok();
    assertEquals(Map.of("config.toml", given), files());
  }
}
