package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Who calls into file systems, and why that holds no carrier: what a path of somebody else leads to may never answer,
 * so it is a step of {@code Aside}. Every class that does is in one of the three lists.
 */
final class FilesTest {
  private static final Path MAIN = Path.of("src/main/java/io/loomshim");

  private static final Pattern CALL = Pattern.compile("\\bFiles\\.|\\bFileChannel\\b|\\bFile(In|Out)putStream\\b"
      + "|\\bRandomAccessFile\\b|\\.toFile\\(\\)|\\.toRealPath\\(|\\bFd\\.open\\(|\\bMounts\\.(mount|unmount)"
      + "|\\bLoopDevice\\.attach|\\bPrograms\\.find|\\bRuncLog\\.(size|find)|\\bMOUNT, |\\bUMOUNT2, |\\bCHDIR, "
      + "|\\bPOSIX_SPAWN, |\\bWholeFile\\.|\\bEnvironment\\.of|\\bget(Total|Free)Space\\b");

  /** The files that they open are the kernel's or this program's own, in memory, whatever clients ask for. */
  private static final Map<String, String> OURS = Map.ofEntries(
      Map.entry("cgroup/BlockIo.java", "cgroup and /proc"), Map.entry("cgroup/Cgroup.java", "cgroup and /proc"),
      Map.entry("cgroup/Freezer.java", "cgroup"),
      Map.entry("cgroup/HugePages.java", "/sys"), Map.entry("cgroup/MetricsV1.java", "cgroup"),
      Map.entry("cgroup/MetricsV2.java", "cgroup"), Map.entry("cgroup/OomCounter.java", "cgroup"),
      Map.entry("cgroup/OomNotifier.java", "cgroup"), Map.entry("cgroup/StatFiles.java", "cgroup"),
      Map.entry("cgroup/SubCgroup.java", "cgroup"),
      Map.entry("daemon/DeadDirectories.java", "run directories; and on platform threads"),
      Map.entry("daemon/Removals.java", "run directory"),
      Map.entry("daemon/Listener.java", "run directory"), Map.entry("daemon/ThreadDumps.java", "run directory"),
      Map.entry("inspect/ThreadNames.java", "run directory"), Map.entry("inspect/ProcessFigures.java", "/proc"),
      Map.entry("linux/Children.java", "/proc"), Map.entry("linux/MountTable.java", "/proc"),
      Map.entry("linux/Processes.java", "/proc"),
      Map.entry("linux/FileLock.java", "run directory"),
      Map.entry("linux/ConsoleSocket.java", "a directory of ours in /run, or in /tmp where that cannot be written"),
      Map.entry("stdio/StreamFile.java", "/proc"),
      Map.entry("ttrpc/Credentials.java", "/proc"),
      Map.entry("ttrpc/Dial.java", "containerd's socket, which the start of the daemon has named"));

  /** Programs of their own, without virtual threads that others need. */
  private static final Map<String, String> PROGRAMS = Map.of(
      "daemon/Main.java", "standard output", "daemon/StartOptions.java", "the launcher's", "daemon/Training.java",
      "at the installation", "daemon/TrainingTask.java", "at the installation", "inspect/Main.java",
      "standard output", "inspect/Found.java", "the command inspect");

  /** These begin the steps, or are called within steps only: then whoever uses them begins some. */
  private static final Map<String, String> ASIDE = Map.ofEntries(
      Map.entry("container/Bundle.java", "within"), Map.entry("container/Checkpoints.java", "begins"),
      Map.entry("container/Container.java", "begins"), Map.entry("container/CriuImage.java", "within"),
      Map.entry("container/ExecProcess.java", "begins"), Map.entry("container/InRoot.java", "within"),
      Map.entry("container/InRunc.java", "begins"), Map.entry("container/RootFs.java", "begins"),
      Map.entry("daemon/ContainerLogs.java", "within"),
      Map.entry("daemon/Daemon.java", "begins; and its own socket, and /proc"),
      Map.entry("daemon/RunDirectory.java", "within, for bundles; else the run directory"),
      Map.entry("linux/InDirectory.java", "within; and on a thread of its own"),
      Map.entry("linux/LoopDevice.java", "within"), Map.entry("linux/MountHelper.java", "begins"),
      Map.entry("linux/Mounts.java", "within"), Map.entry("linux/Programs.java", "within"),
      Map.entry("linux/Spawner.java", "begins"), Map.entry("linux/WholeFile.java", "within"),
      Map.entry("runc/Environment.java", "within"), Map.entry("runc/Runc.java", "begins; and /dev/null"),
      Map.entry("runc/RuncLog.java", "within"), Map.entry("stdio/Console.java", "begins"),
      Map.entry("stdio/Fifos.java", "begins"), Map.entry("stdio/Logger.java", "begins; and /dev/null"),
      Map.entry("stdio/NewFiles.java", "begins"), Map.entry("stdio/ProcessIo.java", "within; and /dev/null"),
      Map.entry("task/TaskService.java", "begins"),
      Map.entry("task/TomlOptions.java", "within"));

  /** Users of a class that is called within steps, which need not begin one. */
  private static final Map<String, String> USERS = Map.of(
      "container/CriuImage.java", "within", "daemon/RunDirectory.java", "within, for bundles",
      "daemon/DeadDirectories.java", "run directories only", "daemon/Removals.java", "the run directory only",
      "container/Launch.java", "has ProcessIo open streams, which begins steps by way of Fifos",
      "daemon/Linger.java", "the run directory only", "daemon/Training.java", "at the installation",
      "runc/RuncException.java", "keeps what was found", "stdio/Streams.java", "names its kinds",
      "task/RuntimeOptions.java", "within, if the options name a file");

  private static TreeMap<String, String> sources() throws IOException {
    var sources = new TreeMap<String, String>();
    try (Stream<Path> files = Files.walk(MAIN)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        String code = Files.readString(file).replaceAll("(?s)/\\*.*?\\*/", "").replaceAll("//.*", "")
            .replaceAll("(?m)^(import|package) .*$", "");
        sources.put(MAIN.relativize(file).toString(), code);
      }
    }
    assertTrue(sources.size() > 100, "no sources below " + MAIN.toAbsolutePath());
    return sources;
  }

  @Test
  void everyCallIntoAFileSystemSaysWhyItHoldsNoCarrier() throws Exception {
    var found = new ArrayList<String>();
    for (var source : sources().entrySet()) {
      String name = source.getKey();
      boolean listed = OURS.containsKey(name) || PROGRAMS.containsKey(name) || ASIDE.containsKey(name);
      boolean calls = CALL.matcher(source.getValue()).find();
      if (calls && !listed && !name.equals("linux/Fd.java")) {
        found.add(name + " calls into a file system: make it a step of Aside, or say here why that need not be");
      } else if (!calls && listed) {
        found.add(name + " does not call into a file system any more");
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void whatIsCalledWithinStepsIsUsedByClassesThatBeginThem() throws Exception {
    var sources = sources();
    var found = new ArrayList<String>();
    for (var entry : ASIDE.entrySet()) {
      if (entry.getValue().startsWith("begins")) {
        assertTrue(sources.get(entry.getKey()).contains("Aside."), entry.getKey() + " begins no step");
        continue;
      }
      String type = entry.getKey().replaceAll(".*/|\\.java", "");
      var use = Pattern.compile("\\b" + type + "\\b");
      for (var source : sources.entrySet()) {
        boolean uses = !source.getKey().equals(entry.getKey()) && use.matcher(source.getValue()).find();
        if (uses && !source.getValue().contains("Aside.") && !source.getValue().contains("Aside ")
            && !USERS.containsKey(source.getKey())) {
          found.add(source.getKey() + " uses " + type + ", which may wait for a file system, without a step of Aside");
        }
      }
    }
    assertEquals(List.of(), found);
  }
}
