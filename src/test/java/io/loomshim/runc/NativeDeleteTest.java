package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A stopped container is removed as runc does it, and only one of which that is known to be all. */
@Timeout(60)
class NativeDeleteTest {
  private static final String USAGE = "delete (native)";

  @TempDir Path dir;
  private NativeRig rig;
  private int pid;
  private String plain;

  @BeforeEach
  void aStoppedContainer() throws Exception {
    rig = new NativeRig(dir, Duration.ofSeconds(2), false);
    Process init = rig.process("exit 0");
    pid = (int) init.pid();
    init.waitFor();
    plain = rig.text(pid, "1", "pids", "freezer", "memory");
    rig.write(plain);
  }

  @AfterEach
  void end() throws Exception {
    rig.close();
  }

  private boolean delete() throws Exception {
    return rig.natives().delete(pid);
  }

  private void assertLeftToRunc(String state) throws Exception {
    rig.write(state);
    assertLeftToRunc();
  }

  /** runc finds all as it was. */
  private void assertLeftToRunc() throws Exception {
    long before = rig.used(USAGE);
    String state = Files.readString(rig.directory.resolve(RuncState.FILE));
    assertFalse(delete());
    assertEquals(state, Files.readString(rig.directory.resolve(RuncState.FILE)));
    assertTrue(Files.exists(rig.cgroups.resolve("pids/a")));
    assertEquals(before, rig.used(USAGE));
  }

  private String with(String from, String to) {
    assertTrue(plain.contains(from), from);
    return plain.replace(from, to);
  }

  @Test
  void itsCgroupsAndItsDirectoryAreRemoved() throws Exception {
    Files.createDirectories(rig.cgroup("pids").resolve("below/further"));
    Files.createDirectories(rig.cgroup("pids").resolve("loom-exec-1"));
    rig.makeFifo();
    Files.createFile(rig.directory.resolve("state-123.tmp"));
    long before = rig.used(USAGE);
    assertTrue(delete());
    assertFalse(Files.exists(rig.directory));
    for (String controller : new String[] {"pids", "freezer", "memory"}) {
      assertFalse(Files.exists(rig.cgroups.resolve(controller).resolve(NativeRig.ID)), controller);
      assertTrue(Files.exists(rig.cgroups.resolve(controller)), controller);
    }
    assertEquals(before + 1, rig.used(USAGE));
  }

  @Test
  void aCgroupThatIsGoneAlreadyIsNoFailure() throws Exception {
    Files.delete(rig.cgroup("memory"));
    assertTrue(delete());
    assertFalse(Files.exists(rig.directory));
  }

  @Test
  void aCgroupThatCannotBeRemovedIsLeftToRunc() throws Exception {
    // as a process would keep it
    Files.createFile(rig.cgroup("pids").resolve("file"));
    assertLeftToRunc();
    Files.delete(rig.cgroup("pids").resolve("file"));
    assertTrue(delete());
  }

  @Test
  void aLinkToAHierarchyIsNotRemoved() throws Exception {
    Path link = Files.createSymbolicLink(rig.cgroups.resolve("cpu"), rig.cgroups.resolve("memory"));
    assertLeftToRunc(with(rig.cgroup("pids").toString(), link.toString()));
    assertTrue(Files.isSymbolicLink(link));
  }

  @Test
  void aDirectoryInItsDirectoryIsLeftToRunc() throws Exception {
    Files.createDirectory(rig.directory.resolve("criu"));
    assertLeftToRunc();
  }

  @Test
  void whatIsSpecialIsLeftToRunc() throws Exception {
    assertLeftToRunc(with("\"NEWPID\",\"path\":\"\"", "\"NEWPID\",\"path\":\"/proc/7/ns/pid\""));
    assertLeftToRunc(with("{\"type\":\"NEWPID\",\"path\":\"\"},", ""));
    assertLeftToRunc(with("\"poststop\":null", "\"poststop\":[{\"path\":\"/bin/true\"}]"));
    assertLeftToRunc(with("\"rootless\":false", "\"rootless\":true"));
    assertLeftToRunc(with("\"Systemd\":false", "\"Systemd\":true"));
    assertLeftToRunc(with("\"intel_rdt_path\":\"\"", "\"intel_rdt_path\":\"/sys/fs/resctrl/a\""));
    assertLeftToRunc(with("\"Paths\":null", "\"Paths\":{\"cpu\":\"/x\"}"));
    assertLeftToRunc(with("init_process_pid", "pid"));
  }

  @Test
  void anotherContainerOfThatNameIsLeftToRunc() throws Exception {
    assertLeftToRunc(with("\"init_process_pid\":" + pid, "\"init_process_pid\":" + (pid + 1)));
    assertLeftToRunc(with("\"id\":\"a\"", "\"id\":\"b\""));
  }

  @Test
  void aContainerThatRunsIsLeftToRunc() throws Exception {
    Process init = rig.process("exec sleep 1000");
    pid = (int) init.pid();
    rig.state(init, "pids");
    assertLeftToRunc();
  }

  @Test
  void aPausedContainerIsLeftToRunc() throws Exception {
    Files.writeString(rig.cgroup("freezer").resolve("freezer.state"), "FROZEN\n");
    assertLeftToRunc();
  }

  @Test
  void oneThatIsNotThereIsLeftToRunc() throws Exception {
    Files.delete(rig.directory.resolve(RuncState.FILE));
    assertFalse(delete());
    Files.delete(rig.directory);
    assertFalse(delete());
  }

  @Test
  void systemdIsLeftToRunc() throws Exception {
    try (var other = new NativeRig(Files.createDirectory(dir.resolve("systemd")), Duration.ofSeconds(2), true)) {
      other.write(other.text(pid, "1", "pids"));
      assertFalse(other.natives().delete(pid));
      assertTrue(Files.exists(other.directory.resolve(RuncState.FILE)));
    }
  }

  @Test
  void aStepThatHasBeenGivenUpRemovesNothing() throws Exception {
    var givenUp = new AtomicBoolean(true);
    assertFalse(new NativeDelete(rig.runner, rig.known, rig.ahead(), NativeRig.ID, pid, givenUp).run());
    assertTrue(Files.exists(rig.directory.resolve(RuncState.FILE)));
    assertTrue(Files.exists(rig.cgroups.resolve("pids/a")));
  }
}
