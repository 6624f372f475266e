package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.launcher.Installation.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code start} hands over what it inherits: the environment by a file, the rest by the daemon that it chooses. */
final class InheritanceTest {
  @RegisterExtension final Installation shim = new Installation();

  /** Runs {@code start} as a child of this process, after {@code words} of a shell. */
  private void start(String id, String words) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", "-c", words + "; exec \"$@\"", "sh", shim.shim.toString()));
    command.addAll(Installation.flags(id, "start"));
    Outcome outcome =
        Installation.finish(new ProcessBuilder(command).directory(shim.bundle(id).toFile()), null);
    assertEquals("0 ", outcome.status() + " " + outcome.stderr());
  }

  private Path heir() {
    return shim.runDir.resolve("heirs/" + ProcessHandle.current().pid());
  }

  @Test
  void theEnvironmentIsLeftInTheBundleAsItWasForRootAlone() throws Exception {
    Outcome outcome = shim.with(shim.startCommand("a"),
        Map.of("mode", "the user's", "id", "7", "JAVA_TOOL_OPTIONS", "-Dx=y", "LC_ALL", "de_DE.ISO-8859-1"));
    assertEquals("0 ", outcome.status() + " " + outcome.stderr());
    Path file = shim.bundle("a").resolve("loom.env");
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    ProcessBuilder reader = new ProcessBuilder("sh", "-c",
        ". ./loom.env; printf '%s\\n' \"$mode\" \"$id\" \"$JAVA_TOOL_OPTIONS\" \"$LC_ALL\"");
    reader.environment().clear();
    assertEquals("the user's\n7\n-Dx=y\nde_DE.ISO-8859-1\n",
        Installation.finish(reader.directory(shim.bundle("a").toFile()), null).out());
  }

  @Test
  void theUmaskOfContainerdIsTheDaemons() throws Exception {
    start("a", "umask 027");
    String status = Files.readString(Path.of("/proc", Long.toString(shim.daemon("a")), "status"));
    assertTrue(status.contains("Umask:\t0027"), status);
  }

  @Test
  void startsWithOtherLimitsOrAnotherUmaskHaveAnotherDaemonAndTheSameAgainTheSame() throws Exception {
    start("a", ":");
    long first = shim.daemon("a");
    for (String words : List.of("ulimit -c 5", "ulimit -Sn 99", "umask 077", "SCHED_CORE=1; export SCHED_CORE")) {
      start("b", words);
      assertNotEquals(first, shim.daemon("b"), words);
      start("a", ":");
      assertEquals(first, shim.daemon("a"), words);
      Installation.kill(shim.daemon("b"));
    }
  }

  @Test
  void ofAContainerdThatIsYoungerThanWhatIsKnownOfItsPidNothingIsKnown() throws Exception {
    start("a", ":");
    String known = Files.readString(heir());
    String forged = known.replaceAll("heir=.*", "heir=zzzzzz");
    Files.writeString(heir(), forged);
    start("b", ":");
    assertNotEquals(shim.run("a"), shim.run("b"), "a warm start believes what is written");
    Files.writeString(heir(), forged);
    Files.setLastModifiedTime(heir(), FileTime.from(Instant.now().minusSeconds(100_000)));
    start("c", ":");
    assertEquals(shim.run("a"), shim.run("c"));
    assertEquals(known, Files.readString(heir()));
  }

  @Test
  void whatIsKnownOfContainerdsThatAreGoneIsForgotten() throws Exception {
    start("a", ":");
    Path gone = Files.createFile(heir().resolveSibling("4194305"));
    start("b", "ulimit -c 5");
    assertFalse(Files.exists(gone));
    assertTrue(Files.exists(heir()));
  }

  @Test
  void aBundleThatCannotBeWrittenToStillFailsWithOneLine() throws Exception {
    Path bundle = shim.bundle("a");
    assertEquals(0, new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "tmpfs", bundle.toString())
        .start().waitFor());
    try {
      Outcome outcome = shim.start("a");
      assertEquals(1, outcome.status());
      assertEquals(1, outcome.stderr().lines().filter(line -> line.startsWith("io.containerd.loom.v1: ")).count());
    } finally {
      assertEquals(0, new ProcessBuilder("umount", bundle.toString()).start().waitFor());
    }
  }
}
