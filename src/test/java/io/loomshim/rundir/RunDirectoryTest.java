package io.loomshim.rundir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Timestamp;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.FileLock;
import io.loomshim.proto.task.DeleteResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDirectoryTest {
  private static final DeleteResponse RESPONSE =
      DeleteResponse.newBuilder()
          .setPid(4711)
          .setExitStatus(137)
          .setExitedAt(Timestamp.newBuilder().setSeconds(1_700_000_000).setNanos(123_456_789))
          .build();

  @TempDir Path temp;
  private RunDirectory directory;

  @BeforeEach
  void prepare() throws Exception {
    directory = new RunDirectory(temp);
    directory.prepare();
  }

  private Path lease(String id, Duration age) throws Exception {
    Path lease = Files.createFile(temp.resolve("leases").resolve(id));
    return Files.setLastModifiedTime(lease, FileTime.from(Instant.now().minus(age)));
  }

  /** What a shell makes of the file: the bytes that the launcher's {@code delete} prints. */
  private static byte[] printed(Path file) throws Exception {
    Process shell =
        new ProcessBuilder("sh", "-c", "IFS= read -r bytes < \"$0\"; printf \"$bytes\"", file.toString()).start();
    byte[] bytes = shell.getInputStream().readAllBytes();
    assertEquals(0, shell.waitFor());
    return bytes;
  }

  @Test
  void preparingTwiceIsFine() throws Exception {
    directory.prepare();
    for (String name : new String[] {"leases", "removed"}) {
      assertTrue(Files.isDirectory(temp.resolve(name)), name);
    }
  }

  private static DaemonRecord daemon(String line) {
    return DaemonRecord.parse(line).orElseThrow();
  }

  @Test
  void aRecordIsPublishedAsOneLineAndTakenBack() throws Exception {
    directory.publish(daemon("7 99 unix:///a"));
    directory.publish(daemon("8 99 unix:///b"));
    assertEquals("8 99 unix:///b\n", Files.readString(temp.resolve("daemon")));
    directory.withdraw(daemon("8 99 unix:///b"));
    assertFalse(Files.exists(temp.resolve("daemon")));
    directory.withdraw(daemon("8 99 unix:///b"));
    try (var files = Files.list(temp)) {
      assertEquals(2, files.count(), "a draft was left");
    }
  }

  @Test
  void theRecordOfAnotherDaemonStays() throws Exception {
    directory.publish(daemon("8 99 unix:///b"));
    directory.withdraw(daemon("7 99 unix:///a"));
    directory.withdraw(daemon("8 99 unix:///"));
    assertEquals("8 99 unix:///b\n", Files.readString(temp.resolve("daemon")));
  }

  @Test
  void aFreshLeaseCountsAndAnOldOneIsForgotten() throws Exception {
    assertFalse(directory.leased());
    Path old = lease("old", RunDirectory.LEASE_AGE_MAX.plusSeconds(1));
    assertFalse(directory.leased());
    assertFalse(Files.exists(old));
    Path fresh = lease("fresh", RunDirectory.LEASE_AGE_MAX.minusSeconds(30));
    assertTrue(directory.leased());
    assertTrue(Files.exists(fresh));
  }

  @Test
  void withoutADirectoryNobodyIsPromised() throws Exception {
    Files.delete(temp.resolve("leases"));
    assertFalse(directory.leased());
  }

  @Test
  void aCreateEndsItsLease() throws Exception {
    lease("web-1", Duration.ZERO);
    lease("web-2", Duration.ZERO);
    directory.created("web-1");
    assertFalse(Files.exists(temp.resolve("leases/web-1")));
    assertTrue(directory.leased(), "the lease of another container is its own");
    directory.created("never-promised");
  }

  @Test
  void aShellPrintsTheAnswerForDelete() throws Exception {
    Path bundle = Files.createDirectory(temp.resolve("bundle"));
    directory.deleted(bundle, RESPONSE);
    byte[] printed = printed(bundle.resolve("loom.deleted"));
    assertArrayEquals(RESPONSE.toByteArray(), printed);
    assertEquals(RESPONSE, DeleteResponse.parseFrom(printed));
  }

  @Test
  void everyByteSurvivesTheShell() throws Exception {
    byte[] all = new byte[512];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    assertArrayEquals(all, printed(Files.writeString(temp.resolve("octal"), RunDirectory.octal(all) + "\n")));
  }

  @Test
  void anAnswerThatCannotBeWrittenFailsNobody() throws Exception {
    directory.deleted(temp.resolve("no bundle"), RESPONSE);
    assertFalse(Files.exists(temp.resolve("no bundle")));
  }

  @Test
  void theLockIsTheOneThatLaunchersTake() throws Exception {
    try (FileLock held = directory.lock()) {
      assertThrows(ErrnoException.class, () -> FileLock.tryTake(temp.resolve("lock")), held.toString());
    }
    FileLock.tryTake(temp.resolve("lock")).close();
  }

  @Test
  void aBundleThatNoStartHasSeenGetsWhatAStartWritesThere() throws Exception {
    Path bundle = Files.createDirectory(temp.resolve("bundle"));
    directory.writeAddress(bundle, daemon("7 99 unix:///run/a b"));
    assertEquals("unix:///run/a b", Files.readString(bundle.resolve("address")));
    assertEquals("7", Files.readString(bundle.resolve("shim.pid")));
    assertEquals(temp + "\n", Files.readString(bundle.resolve("loom.run")));
  }

  @Test
  void whatAStartHasWrittenStays() throws Exception {
    Path bundle = Files.createDirectory(temp.resolve("bundle"));
    Files.writeString(bundle.resolve("loom.run"), "/run/other\n");
    directory.writeAddress(bundle, daemon("7 99 unix:///a"));
    assertEquals("/run/other\n", Files.readString(bundle.resolve("loom.run")));
    assertFalse(Files.exists(bundle.resolve("address")));
    directory.writeAddress(temp.resolve("nowhere"), daemon("7 99 unix:///a"));
    assertFalse(Files.exists(temp.resolve("nowhere")));
  }
}
