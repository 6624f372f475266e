package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.launcher.Installation.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code check}: mistakes with file and line, the settings with where they come from, and what else is missing. */
final class CheckTest {
  @RegisterExtension final Installation shim = new Installation();

  private Path file() {
    return shim.prefix.resolve("etc/loomshim.conf");
  }

  private Outcome check(Map<String, String> environment) throws Exception {
    return shim.with(shim.command(shim.base, List.of("check")), environment);
  }

  private Outcome check(String settings) throws Exception {
    Files.writeString(file(), settings);
    Outcome outcome = check(Map.of());
    assertEquals("", outcome.stderr());
    return outcome;
  }

  private static void has(Outcome outcome, String text) {
    assertTrue(outcome.out().contains(text), text + "\n" + outcome.out() + outcome.stderr());
  }

  @Test
  void whereAllIsWellItSaysSoAndChangesNothing() throws Exception {
    Outcome outcome = check("mode = pod\nrun_dir=" + shim.base.getParent() + "/run\n");
    assertEquals(0, outcome.status(), outcome.out());
    has(outcome, "\n  mode                  pod                       " + file() + ":1\n");
    has(outcome, "\n  linger_seconds        30                        default\n");
    has(outcome, "  found at installation\n");
    has(outcome, "  ok    java        " + Installation.java() + ", Java " + Runtime.version().feature() + "\n");
    has(outcome, "  ok    runc        ");
    has(outcome, "  ok    cgroups     version ");
    has(outcome, "\nall is as it should be\n");
    assertFalse(Files.exists(shim.base.resolveSibling("run")));
    assertFalse(Files.exists(shim.base.getParent().resolve("run")));
    try (var left = Files.list(shim.base.getParent())) {
      assertEquals(1, left.count());
    }
  }

  @Test
  void aMistakeIsNamedWithItsPlaceAndTheSettingThatMayBeMeant() throws Exception {
    Outcome outcome = check("linger_second=3\nStuck-Seconds=5\nlinger=4\ntask.api=3\nzzz=1\n\nmode=\033[31mpods\n");
    assertEquals(1, outcome.status());
    has(outcome, "  " + file() + ":1: there is no setting linger_second; is linger_seconds meant?\n");
    has(outcome, ":2: there is no setting Stuck-Seconds; is stuck_seconds meant?\n");
    has(outcome, ":3: there is no setting linger; is linger_seconds meant?\n");
    has(outcome, ":4: there is no setting task.api; is task_api meant?\n");
    has(outcome, ":5: there is no setting zzz\n");
    has(outcome, ":7: mode=?[31mpods is none of namespace, pod, container; taken instead: namespace\n");
    has(outcome, "\nmistakes in the settings: 6; containers start all the same\n");
  }

  @Test
  void aJavaThatIsNoneIsNamedWithTheReason() throws Exception {
    Path old = shim.script("old/bin/java", "exit 1");
    Files.writeString(shim.base.resolve("old/release"), "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"17.0.9\"\n");
    for (var each : Map.of(quoted(old), "is of Java 17", "/bin/true", "is not the java of a JDK",
        "/no/where", "does not exist", "/etc", "is no program").entrySet()) {
      Outcome outcome = check("\njava=" + each.getKey() + "\n");
      assertEquals(1, outcome.status());
      has(outcome, ":2: java=" + each.getKey().replace("\\", "") + " " + each.getValue()
          + ", and Java 21 or newer is needed; taken instead: what was found at installation\n");
      has(outcome, "  ok    java        " + Installation.java() + ", ");
    }
  }

  private static String quoted(Path path) {
    return path.toString().replace("'", "\\'");
  }

  @Test
  void optionsThatNoJvmTakesAreNamedWithItsWords() throws Exception {
    Outcome outcome = check("java_options=-Xmx5q -Xss1m\n");
    assertEquals(1, outcome.status());
    has(outcome, ":1: java_options=-Xmx5q -Xss1m: no JVM starts with them: Invalid maximum heap size: -Xmx5q; "
        + "daemons start without\n");
    has(outcome, "\n  java_options          none                      left out\n");
    has(outcome, "\nmistakes in the settings: 1; containers start all the same\n");
  }

  /** A JVM refuses {@code -Xshare:auto} and another archive beside a cache; one without the cache's file starts. */
  @Test
  void aCacheOfTheUsersTakesThePlaceOfTheArchive() throws Exception {
    Files.writeString(shim.prefix.resolve("lib/loomshim/current/loomshim.jsa"), "an archive");
    String line = "\n  java_options          ";
    has(check("java_options=-XX:AOTCache=/no/where\n"), line + "-XX:AOTCache=/no/where    " + file());
    has(check("java_options=-Xmx99m -XX:AOTCache=/no/where\n"), line + "-Xmx99m -XX:AOTCache=");
  }

  @Test
  void withoutRuncAndWithoutRoomNoContainerStarts() throws Exception {
    Path bin = Files.createDirectories(shim.base.resolve("bin"));
    for (String tool : List.of("id", "sed", "tr", "awk", "head", "tail", "cat", "df", "stat", "tee", "rm", "uname",
        "getconf", "readlink", "timeout", "env", "grep")) {
      Files.createSymbolicLink(bin.resolve(tool), Path.of("/usr/bin", tool));
    }
    Files.writeString(file(), "run_dir=/proc/x\n");
    Outcome outcome = check(Map.of("PATH", bin.toString()));
    assertEquals(1, outcome.status());
    has(outcome, "  FAIL  runc        there is none in PATH=" + bin + ", and no crun: install one (Debian: runc)\n");
    has(outcome, "  FAIL  run_dir     cannot write into /proc: No such file or directory; run_dir=/proc/x (" + file()
        + ") ");
    has(outcome, "  FAIL  tools       missing in PATH: flock ");
    has(outcome, "\nmistakes in the settings: 0; what keeps containers from starting: 3\n");
    Files.createSymbolicLink(bin.resolve("crun"), Path.of("/bin/true"));
    has(check(Map.of("PATH", bin.toString())), ", so " + bin + "/crun runs containers that name no other");
  }

  @Test
  void autoUpgradeIsKnownAndNeedsTakeOver() throws Exception {
    String note = "  note: " + file() + ":1: auto_upgrade has no effect without take_over=true\n";
    has(check("auto_upgrade=true\n"), note);
    Outcome both = check("auto_upgrade=true\ntake_over=true\n");
    has(both, "\n  auto_upgrade          true                      " + file() + ":1\n");
    assertFalse(both.out().contains("has no effect"), both.out());
    has(check("auto_upgrade=perhaps\n"), "auto_upgrade=perhaps is none of true, false; taken instead: false");
  }

  @Test
  void itTakesNoArguments() throws Exception {
    Outcome outcome = Installation.finish(shim.command(shim.base, List.of("check", "mode")), null);
    assertEquals(2, outcome.status());
    assertTrue(outcome.stderr().startsWith("check takes no arguments\nUsage of "), outcome.stderr());
    assertEquals(0, Installation.finish(shim.command(shim.base, List.of("check", "--help")), null).status());
  }

  @Test
  void inspectSaysThatThereAreMistakes() throws Exception {
    shim.set("mode", "pods");
    shim.fakeJava("exit 0");
    Outcome outcome = Installation.finish(shim.command(shim.base, List.of("inspect")), null);
    assertEquals("note: there are mistakes in " + file() + "; containerd-shim-loom-v1 check names them\n",
        outcome.stderr());
  }

  @Test
  void aJournalThatIsNotThereIsNamed() throws Exception {
    has(check("log=journal:/no/where\n"), "  note  log         log=journal:/no/where, and no journal is at /no/where: "
        + "lines go into containerd's log instead\n");
    assertFalse(check("log=containerd\n").out().contains("  note  log "));
  }
}
