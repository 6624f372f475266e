package io.loomshim.integration.containerd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What containers and their runc inherit is what their containerd has, not what an earlier one had. */
@Timeout(180)
final class InheritanceIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim GO = new Shim("io.containerd.runc.v2");
  private static final String OPEN_FILES = "Max open files";
  private static final String RIGHT = OPEN_FILES + " 1024 8192 files";
  private static final String FEW_FILES = "ulimit -Sn 1024; ulimit -Hn 8192";

  private static Inherited here() {
    return Inherited.in(BED);
  }

  @AfterEach
  void restore() {
    BED.containerd().crash();
    BED.containerd().restart(":", Map.of());
  }

  /**
   * Case 4. The Go runtime raises the soft limit of open files and, from 1.19.9 and 1.20.4 on, hides that from
   * children: a Go shim that is older hands the raised one on.
   */
  @Test
  void aContainerAndAnExecHaveTheLimitsOfContainerdAndAllElseThatIsInherited() {
    here().restart(FEW_FILES + "; " + Inherited.OTHER, Map.of());
    String expected = here().profiles(GO);
    String actual = here().profiles(Shim.tested());
    assertEquals(withoutOpenFiles(expected), withoutOpenFiles(actual));
    var asRight = List.of(openFiles(expected), List.of(RIGHT, RIGHT));
    assertTrue(asRight.contains(openFiles(actual)), () -> openFiles(actual).toString());
  }

  private static List<String> openFiles(String profiles) {
    return profiles.lines().filter(line -> line.startsWith(OPEN_FILES)).map(line -> line.replaceAll(" +", " ").strip())
        .toList();
  }

  private static String withoutOpenFiles(String profiles) {
    return profiles.replaceAll(OPEN_FILES + ".*\n", "");
  }

  /** Case 9. */
  @Test
  void afterARestartWithOtherSettingsANewContainerHasTheNewOnesAndAnOldOneKeepsItsOwn()
      throws IOException {
    Path programs = Files.createDirectory(BED.directory().resolve(Names.id("bin")));
    Path written = BED.directory().resolve(Names.id("env"));
    Files.writeString(
        programs.resolve("runc"), "#!/bin/sh\nenv > " + written + "\nPATH=${PATH#*:}\nexec runc \"$@\"\n");
    Files.setPosixFilePermissions(programs.resolve("runc"), PosixFilePermissions.fromString("rwxr-xr-x"));
    Map<String, String> variables = Map.of("PATH", programs + ":" + Containerd.path(), "mode", "the user's",
        "JAVA_TOOL_OPTIONS", "-Dof=the.user", "LINES_OF_TEXT", "one\ntwo='2'");
    String expected = restarted(GO, variables, written);
    assertEquals(expected, restarted(Shim.tested(), variables, written));
  }

  private static String restarted(Shim shim, Map<String, String> variables, Path written) {
    String id = Names.id("old");
    here().sleeper(shim, id);
    String before = here().exec(id);
    here().restart("ulimit -u 5000; ulimit -c 1000; ulimit -n 4000", variables);
    assertEquals(before, here().exec(id));
    String after = here().profile(shim);
    assertNotEquals(before, after);
    BED.ctr().end(id);
    here().restart(":", Map.of());
    return before + after + ownVariables(written);
  }

  private static String ownVariables(Path written) {
    var lines = new TreeSet<String>();
    try {
      for (String line : Files.readAllLines(written)) {
        if (line.matches("(mode|JAVA_TOOL_OPTIONS|LINES_OF_TEXT|two)=.*")) {
          lines.add(line);
        }
      }
      Files.delete(written);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return lines.toString();
  }

  @Test
  void aRestartWithTheSameSettingsFindsTheSameDaemonAndOneWithOtherLimitsDoesNot() {
    Shim.assumeOurs("Go shims serve one container each");
    long first = daemon();
    here().restart(":", Map.of("MARK", "1"));
    assertEquals(first, daemon());
    here().restart("ulimit -c 1000", Map.of());
    long second = daemon();
    assertNotEquals(first, second);
    here().restart(":", Map.of());
    assertEquals(first, daemon());
  }

  @Test
  void aContainerdInAnotherMountNamespaceHasADaemonThere() throws IOException {
    Shim.assumeOurs("Go shims serve one container each");
    long first = daemon();
    here().restart("exec unshare -m \"$@\"", Map.of());
    long second = daemon();
    assertNotEquals(first, second);
    assertEquals(mounts(BED.containerd().pid()), mounts(second));
  }

  private static Path mounts(long pid) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "ns/mnt"));
  }

  private static long daemon() {
    String id = Names.id("whose");
    here().sleeper(Shim.tested(), id);
    long daemon = Proc.info(BED.ctr().pid(id)).orElseThrow().parent();
    BED.ctr().end(id);
    return daemon;
  }
}
