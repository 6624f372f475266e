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
      + "|\\bLoopDevice\\.attach|\\bMountTreeCalls\\.(copy|attach)"
      + "|\\bMountCalls\\.(mount|unmount|detach|change)|\\bSpawnCalls\\.spawn"
      + "|\\bPrograms\\.find|\\bRuncLog\\.(size|find)|\\bMOUNT, |\\bUMOUNT2, |\\bCHDIR, "
      + "|\\bPOSIX_SPAWN, |\\bWholeFile\\.|\\bSmallFile\\.|\\bEnvironment\\.of|\\bget(Total|Free)Space\\b");

  /** The files that they open are the kernel's or this program's own, in memory, whatever clients ask for. */
  private static final Map<String, String> OURS = Map.ofEntries(
      Map.entry("cgroup/BlockIo.java", "cgroup and /proc"), Map.entry("cgroup/Cgroup.java", "cgroup and /proc"),
      Map.entry("cgroup/Freezer.java", "cgroup"),
      Map.entry("cgroup/GracePeriod.java", "cgroup and /proc; and on a thread of its own"),
      Map.entry("cgroup/HugePages.java", "/sys"), Map.entry("cgroup/MetricsV1.java", "cgroup"),
      Map.entry("cgroup/MetricsV2.java", "cgroup"), Map.entry("cgroup/OomCounter.java", "cgroup"),
      Map.entry("cgroup/OomNotifier.java", "cgroup"), Map.entry("cgroup/StatFiles.java", "cgroup"),
      Map.entry("cgroup/SubCgroup.java", "cgroup"),
      Map.entry("rundir/DeadDirectories.java", "run directories; and on platform threads"),
      Map.entry("record/Record.java", "run directory"), Map.entry("record/RecordFile.java", "run directory"),
      Map.entry("record/RecordDraft.java", "run directory"),
      Map.entry("daemon/Removals.java", "run directory"),
      Map.entry("daemon/ThreadDumps.java", "run directory"),
      Map.entry("inspect/ThreadNames.java", "run directory"), Map.entry("inspect/ProcessFigures.java", "/proc"),
      Map.entry("process/Children.java", "/proc"), Map.entry("mount/MountTable.java", "/proc"),
      Map.entry("mount/Kernel.java", "/proc"), Map.entry("mount/UserNamespace.java", "/proc"),
      Map.entry("linux/FileLock.java", "run directory"),
      Map.entry("linux/SmallFile.java", "those of its callers, which are in these lists themselves"),
      Map.entry("process/Processes.java", "/proc"),
      Map.entry("shelf/Holder.java", "/proc, the run directory"),
      Map.entry("shelf/HolderBefore.java", "the run directory"),
      Map.entry("rundir/RunLinks.java", "beside the run directory"),
      Map.entry("takeover/Gathering.java", "/proc"),
      Map.entry("stdio/ConsoleSocket.java", "a directory of ours in /run, or in /tmp where that cannot be written"),
      Map.entry("stdio/StreamFile.java", "/proc"),
      Map.entry("ttrpc/SocketDoor.java", "run directory"),
      Map.entry("ttrpc/Dial.java", "containerd's socket, which the start of the daemon has named"));

  /** Programs of their own, without virtual threads that others need. */
  private static final Map<String, String> PROGRAMS = Map.ofEntries(
      Map.entry("daemon/Main.java", "standard output"), Map.entry("daemon/StartOptions.java", "the launcher's"),
      Map.entry("training/Training.java", "at the installation"),
      Map.entry("training/TrainingTask.java", "at the installation"),
      Map.entry("training/TrainingSuccession.java", "at the installation"),
      Map.entry("cli/Main.java", "standard output"), Map.entry("cli/Ended.java", "the command inspect"),
      Map.entry("cli/Recording.java", "the command inspect"),
      Map.entry("rundir/LivingDaemon.java", "the command inspect"),
      Map.entry("cli/Upgrade.java", "the command upgrade"),
      Map.entry("daemon/Readiness.java", "before a daemon has a thread"));

  /** These begin the steps, or are called within steps only: then whoever uses them begins some. */
  private static final Map<String, String> ASIDE = Map.ofEntries(
      Map.entry("container/Bundle.java", "within"), Map.entry("checkpoint/Checkpoints.java", "begins"),
      Map.entry("checkpoint/CriuImage.java", "within"),
      Map.entry("container/InRoot.java", "within"), Map.entry("container/RootFs.java", "begins"),
      Map.entry("daemon/ContainerLogs.java", "within"),
      Map.entry("daemon/Daemon.java", "begins; and its own socket, and /proc"),
      Map.entry("rundir/RunDirectory.java", "within, for bundles; else the run directory"),
      Map.entry("mount/InDirectory.java", "within; and on a thread of its own"),
      Map.entry("mount/LoopDevice.java", "within"), Map.entry("mount/MountHelper.java", "begins"),
      Map.entry("mount/MappedMount.java", "within"), Map.entry("mount/MappedOverlay.java", "within"),
      Map.entry("mount/Mounts.java", "within"), Map.entry("linux/MountCalls.java", "within"),
      Map.entry("process/Programs.java", "within"), Map.entry("linux/SpawnCalls.java", "within"),
      Map.entry("process/Spawner.java", "begins"), Map.entry("linux/WholeFile.java", "within"),
      Map.entry("linux/ProgramCopy.java", "within; and /proc, /dev/null"),
      Map.entry("runc/FileStamp.java", "within"),
      Map.entry("runc/SealedPrograms.java", "within and begins; and /proc, the run directory"),
      Map.entry("runc/CommandRunner.java", "begins; and /dev/null"),
      Map.entry("runc/DefaultRuntime.java", "within"), Map.entry("runc/Environment.java", "within"),
      Map.entry("runc/Surroundings.java", "within"),
      Map.entry("runc/PidFile.java", "within"), Map.entry("runc/ProcessFile.java", "within, and begins"),
      Map.entry("runc/RuncLog.java", "within"),
      Map.entry("runc/RuncDirectory.java", "begins"), Map.entry("stdio/OutputPath.java", "within"),
      Map.entry("runc/RuncState.java", "within"),
      Map.entry("runc/NativeStart.java", "begins"), Map.entry("runc/NativeDelete.java", "within"),
      Map.entry("stdio/Console.java", "begins"),
      Map.entry("stdio/Fifos.java", "begins"), Map.entry("stdio/Logger.java", "begins; and /dev/null"),
      Map.entry("stdio/NewFiles.java", "begins"), Map.entry("stdio/ProcessIo.java", "within; and /dev/null"),
      Map.entry("task/TomlOptions.java", "within"));

  /** Users of a class that is called within steps, which need not begin one. */
  private static final Map<String, String> USERS = Map.ofEntries(
      Map.entry("mount/InDirectory.java", "within; and on a thread of its own"),
      Map.entry("mount/LoopDevice.java", "within"),
      Map.entry("checkpoint/CriuImage.java", "within"),
      Map.entry("stdio/Inheritance.java", "has what is open"),
      Map.entry("cgroup/StatFiles.java", "cgroup"), Map.entry("process/Children.java", "/proc"),
      Map.entry("runc/PidFile.java", "within"), Map.entry("runc/RuncCommand.java", "names them"),
      Map.entry("stdio/ProcessIo.java", "has fifos opened, which begins steps by way of Fifos"),
      Map.entry("rundir/RunDirectory.java", "within, for bundles"),
      Map.entry("rundir/DeadDirectories.java", "run directories only"),
      Map.entry("daemon/Removals.java", "the run directory only"),
      Map.entry("daemon/Shortcuts.java", "sets it up only"),
      Map.entry("container/Container.java", "has them for its processes"),
      Map.entry("daemon/Linger.java", "the run directory only"),
      Map.entry("shelf/Holder.java", "the run directory only"),
      Map.entry("training/Training.java", "at the installation"),
      Map.entry("rundir/LivingDaemon.java", "the command inspect"),
      Map.entry("runc/RuncException.java", "keeps what was found"),
      Map.entry("runc/DefaultRuntime.java", "within"),
      Map.entry("runc/Surroundings.java", "within"),
      Map.entry("stdio/Streams.java", "has ProcessIo open streams, which begins steps by way of Fifos"),
      Map.entry("task/RuntimeOptions.java", "within, if the options name a file"));

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
