package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.launcher.Installation.Outcome;
import io.loomshim.linux.Posix;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code start}: the address and nothing but the address, and one daemon for all who share it. */
final class StartTest {
  @RegisterExtension final Installation shim = new Installation();

  @Test
  void aFirstStartStartsTheDaemonAndTheNextOneFindsIt() throws Exception {
    Outcome first = Installation.finish(shim.startCommand("a").redirectErrorStream(true), null);
    assertEquals(0, first.status(), first.out());
    String address = Files.readString(shim.bundle("a").resolve("address"));
    assertEquals(address, first.out());
    assertTrue(Files.exists(Path.of(address.substring("unix://".length()))));
    shim.fakeJava("exit 1");
    Outcome second = Installation.finish(shim.startCommand("b").redirectErrorStream(true), null);
    assertEquals(address, second.out());
    assertEquals(0, second.status());
    assertEquals(shim.daemon("a"), shim.daemon("b"));
    assertEquals(shim.run("a"), shim.run("b"));
    assertTrue(Files.exists(shim.run("a").resolve("leases/a")));
    assertTrue(Files.exists(shim.run("a").resolve("leases/b")));
  }

  @Test
  void filesThatAnEarlierStartLeftInTheBundleAreOverwritten() throws Exception {
    for (String name : List.of("address", "shim.pid", ".address", ".shim.pid")) {
      Files.writeString(shim.bundle("a").resolve(name), "left by a crash and longer than any address that there will be"
          .repeat(9));
    }
    String address = shim.start("a").out();
    assertEquals(address, Files.readString(shim.bundle("a").resolve("address")));
    assertEquals(shim.daemon("a"), Long.parseLong(Files.readString(shim.bundle("a").resolve("shim.pid"))));
  }

  @Test
  void theRunDirectoryIsForRootOnly() throws Exception {
    shim.start("a");
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(shim.run("a"))));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(shim.runDir)));
  }

  @Test
  void theDaemonInheritsNothingFromItsStart() throws Exception {
    ProcessBuilder builder = shim.startCommand("a");
    Outcome outcome = shim.with(builder,
        Map.of("JAVA_TOOL_OPTIONS", "-Dx=y", "CLASSPATH", "/nowhere", "TTRPC_ADDRESS", "/run/t.sock"));
    assertEquals(0, outcome.status());
    assertEquals("", outcome.stderr());
    Path run = shim.run("a");
    Path process = Path.of("/proc", Long.toString(shim.daemon("a")));
    assertEquals("/dev/null", Files.readSymbolicLink(process.resolve("fd/0")).toString());
    assertEquals("/dev/null", Files.readSymbolicLink(process.resolve("fd/1")).toString());
    assertEquals(run.resolve("daemon.log"), Files.readSymbolicLink(process.resolve("fd/2")));
    assertEquals(run, Files.readSymbolicLink(process.resolve("cwd")));
    try (Stream<Path> links = Files.list(process.resolve("fd"))) {
      for (Path link : links.toList()) {
        if (Files.isSymbolicLink(link)) {
          assertNotEquals(run.resolve("lock"), Files.readSymbolicLink(link));
        }
      }
    }
    String environment = Files.readString(process.resolve("environ"), StandardCharsets.ISO_8859_1);
    assertFalse(environment.contains("JAVA_TOOL_OPTIONS="));
    assertFalse(environment.contains("CLASSPATH="));
    assertTrue(environment.contains("TTRPC_ADDRESS=/run/t.sock"));
    assertEquals("", Files.readString(run.resolve("daemon.log")));
  }

  @Test
  void theDaemonSpeaksEnglishAndKnowsUtf8WhateverTheLanguageOfContainerd() throws Exception {
    Outcome outcome = shim.with(shim.startCommand("a"),
        Map.of("LC_ALL", "de_DE.ISO-8859-1", "LANG", "de_DE.UTF-8", "LANGUAGE", "de:en"));
    assertEquals(0, outcome.status(), outcome.stderr());
    Path process = Path.of("/proc", Long.toString(shim.daemon("a")));
    String environment = Files.readString(process.resolve("environ"), StandardCharsets.ISO_8859_1);
    Set<String> variables = Set.of(environment.split("\0"));
    assertTrue(variables.contains("LC_ALL=C.UTF-8"), environment);
    assertTrue(variables.contains("LANG=de_DE.UTF-8"), environment);
    assertFalse(environment.contains("LANGUAGE="), environment);
  }

  @Test
  void theDaemonKeepsUmaskAndSignalsBecauseItsContainersInheritThem() throws Exception {
    shim.start("a");
    Path process = Path.of("/proc", Long.toString(shim.daemon("a")));
    assertEquals(field(Path.of("/proc/self/status"), "Umask"), field(process.resolve("status"), "Umask"));
    long ignored = Long.parseLong(field(process.resolve("status"), "SigIgn"), 16);
    long interruptAndQuit = 1L << 1 | 1L << 2;
    assertEquals(0, ignored & interruptAndQuit);
    int ours = Integer.parseInt(Files.readString(Path.of("/proc/self/oom_score_adj")).strip());
    assertEquals(Integer.toString(Math.min(ours + 1, 1000)),
        Files.readString(process.resolve("oom_score_adj")).strip());
  }

  private static String field(Path status, String name) throws Exception {
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith(name + ":")) {
        return line.substring(name.length() + 1).strip();
      }
    }
    throw new AssertionError("no " + name);
  }

  @Test
  void theDaemonIsToldWhatItServes() throws Exception {
    shim.set("linger_seconds", "7");
    shim.set("stuck_seconds", "9");
    shim.set("kill_exec_tree", "true");
    shim.set("native_runc", "false");
    List<String> arguments = new ArrayList<>(Installation.flags("a", "start"));
    arguments.addFirst("-debug");
    assertEquals(0, Installation.finish(shim.command(shim.bundle("a"), arguments), null).status());
    assertEquals(
        List.of("-namespace", "test", "-address", "/run/c.sock", "-run-dir",
            shim.run("a").toString(), "-mode", "namespace", "-build",
            shim.run("a").getFileName().toString().split("@")[0], "-linger", "7", "-threads", "virtual",
            "-runc-timeout", "60", "-stuck", "9", "-kill-exec-tree",
            "-no-native-runc", "-debug"),
        Files.readAllLines(shim.run("a").resolve("arguments")));
  }

  @Test
  void theDaemonIsToldWhereItsLogGoes() throws Exception {
    shim.set("log", "journal:/run/systemd/journal.OWN N/socket");
    assertEquals(0, shim.start("a").status());
    List<String> arguments = Files.readAllLines(shim.run("a").resolve("arguments"));
    assertEquals(List.of("-journal", "/run/systemd/journal.OWN N/socket"),
        arguments.subList(arguments.indexOf("-stuck") + 2, arguments.size()));
  }

  @Test
  void theDaemonIsToldWhatIsNotToBeDoneToMakeRuncFaster() throws Exception {
    shim.set("early_cgroup_wait", "false");
    shim.set("spawn_apart", "false");
    shim.set("sealed_runtime", "false");
    assertEquals(0, shim.start("a").status());
    List<String> arguments = Files.readAllLines(shim.run("a").resolve("arguments"));
    assertEquals(List.of("-no-early-cgroup-wait", "-no-spawn-apart", "-sealed-runtime", "false"),
        arguments.subList(arguments.indexOf("-stuck") + 2, arguments.size()));
  }

  @Test
  void manyStartsAtOnceGiveOneDaemon() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      processes.add(shim.startCommand("c" + i).redirectInput(Path.of("/dev/null").toFile()).start());
    }
    Set<String> addresses = new HashSet<>();
    for (Process process : processes) {
      Outcome outcome = Installation.collect(process);
      assertEquals(0, outcome.status(), outcome.stderr());
      assertEquals("", outcome.stderr());
      addresses.add(outcome.out());
    }
    assertEquals(1, addresses.size());
  }

  @Test
  void aStartWaitsForTheDaemonThatAnotherIsStarting() throws Exception {
    Path gate = shim.base.resolve("gate");
    Posix.fifo(gate);
    Path count = shim.base.resolve("count");
    shim.fakeJava("echo x >> '" + quoted(count) + "'\nread -r go < '" + quoted(gate) + "'\n"
        + "exec '" + Installation.java() + "' \"$@\"");
    Process first = shim.startCommand("a").redirectInput(Path.of("/dev/null").toFile()).start();
    Process second = shim.startCommand("b").redirectInput(Path.of("/dev/null").toFile()).start();
    Files.writeString(gate, "go\n");
    Outcome one = Installation.collect(first);
    Outcome two = Installation.collect(second);
    assertEquals(0, one.status(), one.stderr());
    assertEquals(one.out(), two.out());
    assertEquals("x\n", Files.readString(count));
  }

  private static String quoted(Path path) {
    return path.toString().replace("'", "'\\''");
  }

  @Test
  void aDeadDaemonIsReplaced() throws Exception {
    String before = shim.start("a").out();
    Installation.kill(shim.daemon("a"));
    Outcome outcome = shim.start("b");
    assertEquals(0, outcome.status(), outcome.stderr());
    assertNotEquals(before, outcome.out());
  }

  @Test
  void theSocketsOfDeadDaemonsAreRemovedByTheNextColdStart() throws Exception {
    shim.start("a");
    Installation.kill(shim.daemon("a"));
    Path dead = Files.createFile(shim.run("a").resolve("4194303-77.sock"));
    String stat = Files.readString(Path.of("/proc/self/stat"));
    String startTime = stat.substring(stat.lastIndexOf(") ") + 2).split(" ")[19];
    Path living = Files.createFile(
        shim.run("a").resolve(ProcessHandle.current().pid() + "-" + startTime + ".sock"));
    assertEquals(0, shim.start("b").status());
    assertFalse(Files.exists(dead));
    assertTrue(Files.exists(living));
  }

  @Test
  void aRecycledPidIsNotTakenForTheDaemon() throws Exception {
    shim.start("a");
    Installation.kill(shim.daemon("a"));
    Files.writeString(shim.run("a").resolve("daemon"),
        ProcessHandle.current().pid() + " 1 unix:///run/wrong.sock\n");
    Outcome outcome = shim.start("b");
    assertEquals(0, outcome.status(), outcome.stderr());
    assertNotEquals("unix:///run/wrong.sock", outcome.out());
  }

  @Test
  void aDaemonThatDiesAtOnceGivesOneClearLineAndNoLease() throws Exception {
    shim.fakeJava("echo first >&2; echo 'it broke' >&2; exit 3");
    Outcome outcome = shim.start("a");
    assertEquals(1, outcome.status());
    assertEquals("", outcome.out());
    assertEquals("io.containerd.loom.v1: the daemon died while starting: it broke (java: "
        + shim.base.resolve("fake jdk/bin/java") + "; log: " + shim.runs().getFirst() + "/daemon.log)\n",
            outcome.stderr());
    assertFalse(Files.exists(shim.runs().getFirst().resolve("leases/a")));
    shim.start("a");
    assertEquals("first\nit broke\n", Files.readString(shim.runs().getFirst().resolve("daemon.log.1")));
  }

  @Test
  void aDaemonThatSaysWhyItCannotStartIsQuoted() throws Exception {
    shim.fakeJava("echo 'error: no such luck'");
    Outcome outcome = shim.start("a");
    assertEquals(1, outcome.status());
    assertEquals("io.containerd.loom.v1: no such luck\n", outcome.stderr());
  }

  @Test
  void aDaemonThatAnswersNonsenseIsAnError() throws Exception {
    shim.fakeJava("echo hello; echo noise >&2");
    Outcome outcome = shim.start("a");
    assertEquals(1, outcome.status());
    assertTrue(outcome.stderr().startsWith("io.containerd.loom.v1: the daemon answered: hello (java: "),
        outcome.stderr());
    assertEquals(1, outcome.stderr().lines().count());
  }

  @Test
  void whatTheJvmPrintsBeforeTheDaemonsLineDoesNotMatter() throws Exception {
    shim.fakeJava("echo 'OpenJDK 64-Bit Server VM warning: 1 2 unix:///x'; exec '" + Installation.java() + "' \"$@\"");
    Outcome outcome = Installation.finish(shim.startCommand("a").redirectErrorStream(true), null);
    assertEquals(0, outcome.status(), outcome.out());
    assertEquals(Files.readString(shim.bundle("a").resolve("address")), outcome.out());
    assertEquals("unix://" + StandInDaemon.socket(shim.daemon("a")), outcome.out());
  }

  @Test
  void aJdkThatMovedIsFoundAgain() throws Exception {
    shim.installed("installed_java", "/nonexistent/bin/java");
    Outcome outcome = shim.with(shim.startCommand("a"), Map.of("JAVA_HOME", System.getProperty("java.home")));
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals("", outcome.stderr());
  }

  @Test
  void aMissingRuncGivesOneClearLine() throws Exception {
    Path empty = Files.createDirectories(shim.base.resolve("empty"));
    Outcome outcome = shim.with(shim.startCommand("a"), Map.of("PATH", empty.toString()));
    assertEquals(1, outcome.status());
    assertEquals("io.containerd.loom.v1: no runc or crun found in PATH=" + empty + "\n", outcome.stderr());
  }

  @Test
  void aRunDirectoryThatASweepRemovesWhileItIsMadeIsMadeAgain() throws Exception {
    Path mkdir = shim.program("mkdir", "[ -e \"$0.once\" ] && exec /bin/mkdir \"$@\"; : > \"$0.once\"; "
        + "echo 'mkdir: cannot create directory: No such file or directory' >&2; exit 1");
    Path bin = mkdir.getParent();
    Outcome outcome = shim.with(shim.startCommand("a"), Map.of("PATH", bin + ":" + System.getenv("PATH")));
    assertEquals(0, outcome.status(), outcome.stderr());
    assertTrue(Files.exists(bin.resolve("mkdir.once")));
    assertTrue(Files.exists(shim.run("a").resolve("leases/a")));
  }

  @Test
  void crunAloneIsEnough() throws Exception {
    assertEquals(0, shim.start("a").status());
    Path alone = shim.program("crun", "exit 1");
    shim.program("sha256sum", "exec /usr/bin/sha256sum \"$@\""); // for the long name of the run directory
    Outcome outcome = shim.with(shim.startCommand("b"), Map.of("PATH", alone.getParent().toString()));
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals(shim.daemon("a"), shim.daemon("b"));
  }

  @Test
  void inPodModeTheAnnotationsOfTheSpecChooseTheDaemon() throws Exception {
    shim.set("mode", "pod");
    for (String id : List.of("pod1", "a", "b", "c")) {
      String pod = id.equals("c") ? "pod2" : "pod1";
      Files.writeString(shim.bundle(id).resolve("config.json"),
          "{\"args\":[\"x\\\"io.kubernetes.cri.sandbox-id\\\":\\\"no\"],\"annotations\":{"
              + "\"io.kubernetes.cri.container-type\":\"container\","
              + "\"io.kubernetes.cri.sandbox-id\":\"" + pod + "\",\"z\":\"y\"}}");
      assertEquals(0, shim.start(id).status());
    }
    assertEquals(shim.daemon("a"), shim.daemon("pod1"));
    assertEquals(shim.daemon("a"), shim.daemon("b"));
    assertNotEquals(shim.daemon("a"), shim.daemon("c"));
  }

  @Test
  void inContainerModeEveryContainerHasItsOwn() throws Exception {
    shim.set("mode", "container");
    shim.start("a");
    shim.start("b");
    assertNotEquals(shim.daemon("a"), shim.daemon("b"));
  }

  @Test
  void namesThatAreTooLongOrUnusualForADirectoryAreHashed() throws Exception {
    Set<Path> runs = new HashSet<>();
    String longest = "/run/" + "x".repeat(240);
    for (String address : List.of("/run/a b", "/run/a@b", "/run/a,b", "/run/a/b", "/run/a/b/", longest)) {
      ProcessBuilder builder = shim.command(shim.bundle("a"),
          List.of("-namespace", "n".repeat(76), "-address", address, "-id", "a", "start"));
      assertEquals(0, Installation.finish(builder, null).status(), address);
      assertTrue(runs.add(shim.run("a")), address);
      // /run/loomshim, this name, a slash and PID-STARTTIME.sock: the kernel takes 107 bytes
      assertTrue(shim.run("a").getFileName().toString().length() <= 107 - 25 - "/run/loomshim/".length());
    }
  }

  @Test
  void anAnswerAboutAnEarlierContainerOfTheNameIsForgotten() throws Exception {
    shim.start("a");
    Path deleted = shim.bundle("a").resolve("loom.deleted");
    Files.writeString(deleted, "\\020\\007\n");
    shim.start("a");
    assertTrue(Files.notExists(deleted) || Files.size(deleted) == 0);
  }

  @Test
  void aSymbolicLinkToTheLauncherWorks() throws Exception {
    Path link = Files.createSymbolicLink(shim.base.resolve("linked shim"), shim.shim);
    List<String> words = new ArrayList<>(List.of(link.toString()));
    words.addAll(Installation.flags("a", "start"));
    Outcome outcome = Installation.finish(
        new ProcessBuilder(words).directory(shim.bundle("a").toFile()), null);
    assertEquals(0, outcome.status(), outcome.stderr());
  }
}
