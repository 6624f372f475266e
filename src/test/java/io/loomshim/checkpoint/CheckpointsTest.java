package io.loomshim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.runc.Runc;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncCalls;
import io.loomshim.runc.RuncLimits;
import io.loomshim.runc.RuncSettings;
import io.loomshim.stdio.StreamFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a checkpoint asks of runc, written down by a shell script in its place. */
class CheckpointsTest {
  @TempDir Path dir;
  private Path bundle;
  private Path criuWork;
  private Path criuLog;
  private Path image;

  @BeforeEach
  void makeDirectories() throws IOException {
    bundle = Files.createDirectories(dir.resolve("bundle"));
    criuWork = Files.createDirectory(bundle.resolve("work")).resolve("criu-work");
    criuLog = bundle.resolve("criu-dump.log");
    image = dir.resolve("image");
  }

  /** A runc that writes down its arguments after the global ones, and then does {@code more}. */
  private Checkpoints with(String more) throws IOException {
    Path script = dir.resolve("runc");
    Files.writeString(script, "#!/bin/sh\nshift 6\necho \"$@\" > " + dir + "/args\n"
        + "mkdir -p " + criuWork + "\n" + more + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path log = bundle.resolve("log.json");
    var settings = new RuncSettings(script.toString(), dir.resolve("root"), log, Optional.empty(), false);
    var runc = new Runc("web-1", settings, bundle, RuncLimits.DEFAULT, System.getenv(), new RuncCalls(),
        KnownRuntimes.NONE);
    return new Checkpoints(criuWork, criuLog, runc);
  }

  private CheckpointSpec spec(Optional<Path> work, boolean exit, boolean all) {
    return new CheckpointSpec(image, work, exit, all, all, all, all, all ? List.of("network", "ipc") : List.of());
  }

  private String args() throws IOException {
    return Files.readString(dir.resolve("args")).strip();
  }

  @Test
  void everyOptionReachesRunc() throws Exception {
    with("").save(spec(Optional.of(dir), true, true), List.of());
    assertEquals("checkpoint --image-path " + image + " --work-path " + dir + " --tcp-established --ext-unix-sk "
        + "--shell-job --file-locks --empty-ns network --empty-ns ipc web-1", args());
    with("").save(spec(Optional.empty(), false, false), List.of());
    assertEquals("checkpoint --image-path " + image + " --work-path " + criuWork + " --leave-running web-1",
        args());
  }

  @Test
  void aFailureTellsItsFirstLineAndKeepsCriusLogButNotItsDirectory() throws Exception {
    var failing = with("echo why > " + criuWork + "/dump.log; echo first; echo second; exit 1");
    var e = assertThrows(StatusException.class, () -> failing.save(spec(Optional.empty(), true, false), List.of()));
    assertEquals(Code.UNKNOWN, e.code());
    assertEquals(dir + "/runc did not terminate successfully: first path= " + criuLog, e.getMessage());
    assertEquals("why\n", Files.readString(criuLog));
    assertFalse(Files.exists(criuWork));
  }

  @Test
  void aFailureBeforeCriuRunsNamesNoLog() throws Exception {
    var failing = with("echo 'exec: criu: not found'; exit 1");
    var e = assertThrows(StatusException.class, () -> failing.save(spec(Optional.empty(), true, false), List.of()));
    assertEquals(dir + "/runc did not terminate successfully: exec: criu: not found (CRIU has written no log: "
        + "is criu installed, and in the PATH of containerd?)", e.getMessage());
    assertFalse(Files.exists(criuLog));
    assertFalse(Files.exists(criuWork));
  }

  @Test
  void aDirectoryOfTheClientStays() throws Exception {
    Path work = Files.createDirectory(dir.resolve("mine"));
    var failing = with("echo why > " + work + "/dump.log; exit 1");
    assertThrows(StatusException.class, () -> failing.save(spec(Optional.of(work), true, false), List.of()));
    assertEquals("why\n", Files.readString(work.resolve("dump.log")));
    assertEquals("why\n", Files.readString(criuLog));
  }

  @Test
  void anImageThatIsNoneIsAnError() throws Exception {
    var writing = with("mkdir " + image + "; echo nonsense > " + image + "/descriptors.json");
    var files = List.of(new StreamFile(1, 2162756));
    assertThrows(IOException.class, () -> writing.save(spec(Optional.empty(), true, false), files));
  }
}
