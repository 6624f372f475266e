package io.loomshim.rundir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.FileLock;
import io.loomshim.record.RecordFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeadDirectoriesTest {
  private static final FileTime OLD = FileTime.from(Instant.now().minus(RunDirectory.LEASE_AGE_MAX).minusSeconds(9));

  @TempDir Path temp;
  private Path own;

  @BeforeEach
  void prepare() throws Exception {
    own = run("b1@own@c.sock");
  }

  private Path run(String name) throws Exception {
    Path run = temp.resolve(name);
    new RunDirectory(run).prepare();
    Files.createFile(run.resolve("lock"));
    Files.createFile(run.resolve("daemon.log"));
    return run;
  }

  /** What a process that lives is called in files. */
  private static String[] living() throws Exception {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    String started = stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19];
    return new String[] {Long.toString(ProcessHandle.current().pid()), started};
  }

  @Test
  void whatBelongsToNoLivingProcessGoes() throws Exception {
    Path dead = run("b1@dead@c.sock");
    Files.writeString(dead.resolve("daemon"), living()[0] + " 1 unix://" + dead + "/7-1.sock\n");
    Files.createFile(dead.resolve(living()[0] + "-1.sock"));
    Files.createFile(dead.resolve("removed/a"));
    Files.setLastModifiedTime(Files.createFile(dead.resolve("leases/a")), OLD);
    Path old = run("b0@dead@c.sock");
    Files.createDirectory(old.resolve("deleted"));
    Files.setLastModifiedTime(Files.createFile(old.resolve("deleted/a")), OLD);
    DeadDirectories.sweep(own);
    assertEquals(List.of(own), all());
  }

  @Test
  void whatSomebodyMayStillNeedStays() throws Exception {
    var expected = new ArrayList<Path>(List.of(own));
    Path takes = run("b1@takes@c.sock");
    Files.writeString(takes.resolve("daemon"), String.join(" ", living()) + " unix:///x\n");
    expected.add(takes);
    Path drains = run("b1@drains@c.sock");
    Files.createFile(drains.resolve(String.join("-", living()) + ".sock"));
    expected.add(drains);
    Path promised = run("b1@promised@c.sock");
    Files.createFile(promised.resolve("leases/a"));
    expected.add(promised);
    Path answers = run("b0@answers@c.sock");
    Files.createDirectory(answers.resolve("deleted"));
    Files.createFile(answers.resolve("deleted/a"));
    expected.add(answers);
    Path begins = run("b1@begins@c.sock");
    expected.add(begins);
    Path elsewhere = run("b1@elsewhere@c.sock"); // its daemon is in another pid namespace
    expected.add(elsewhere);
    expected.add(run("no key"));
    expected.add(Files.createDirectory(temp.resolve("b1@foreign")));
    try (var launcher = FileLock.take(begins.resolve("lock")); var daemon = FileLock.shareDirectory(elsewhere)) {
      DeadDirectories.sweep(own);
      assertEquals(expected.stream().sorted().toList(), all(), () -> launcher + " " + daemon);
    }
    DeadDirectories.sweep(own);
    assertFalse(Files.exists(begins));
    assertFalse(Files.exists(elsewhere));
  }

  @Test
  void ofTheLogsOfTheDeadTheNewestAreKept() throws Exception {
    for (int i = 0; i < DeadDirectories.LOGS_MAX + 3; i++) {
      Path dead = run("b1@dead" + i + "@c.sock");
      Files.writeString(dead.resolve("daemon.log"), "");
      Path log = Files.writeString(dead.resolve("hs_err.log"), "crash " + i);
      Files.setLastModifiedTime(log, FileTime.fromMillis(1000L * i));
    }
    DeadDirectories.sweep(own);
    var kept = new ArrayList<String>();
    try (var files = Files.newDirectoryStream(temp.resolve(DeadDirectories.LOGS))) {
      for (Path file : files) {
        kept.add(Files.readString(file));
      }
    }
    assertEquals(DeadDirectories.LOGS_MAX, kept.size());
    assertTrue(kept.contains("crash 3") && !kept.contains("crash 2"), kept::toString);
  }

  @Test
  void theRecordsOfTheDeadAreKeptAndFoundTheLatestFirst() throws Exception {
    for (int i = 0; i < DeadDirectories.LOGS_MAX + 3; i++) {
      Path dead = run("b1@dead" + i + "@c.sock");
      Path record = Files.writeString(dead.resolve(RecordFile.NAME), "record " + i);
      Files.setLastModifiedTime(record, FileTime.fromMillis(1000L * i));
      Files.writeString(dead.resolve("daemon.log"), "log " + i);
    }
    Files.writeString(own.resolve(RecordFile.BEFORE), "of the one before");
    assertEquals(DeadDirectories.LOGS_MAX + 4, DeadDirectories.records(temp).size());
    DeadDirectories.sweep(own);
    var found = new ArrayList<String>();
    for (Path record : DeadDirectories.records(temp)) {
      found.add(Files.readString(record));
    }
    assertEquals("of the one before", found.getFirst());
    assertEquals(DeadDirectories.LOGS_MAX + 1, found.size());
    assertEquals("record 10", found.get(1));
    assertEquals("record 3", found.getLast());
  }

  @Test
  void aDaemonThatEndsRemovesItsOwnUnlessAnotherHasBeenPromisedToIt() throws Exception {
    Path lease = Files.createFile(own.resolve("leases/a"));
    DeadDirectories.removeOwn(own);
    assertTrue(Files.exists(lease));
    Files.delete(lease);
    DeadDirectories.removeOwn(own);
    assertFalse(Files.exists(own));
  }

  private List<Path> all() throws Exception {
    try (var paths = Files.list(temp)) {
      return paths.sorted().toList();
    }
  }
}
