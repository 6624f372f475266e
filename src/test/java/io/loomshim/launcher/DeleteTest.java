package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.launcher.Installation.Outcome;
import io.loomshim.proto.task.DeleteResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code delete}: prints a DeleteResponse, says nothing, cleans up what a daemon left, any number of times. */
final class DeleteTest {
  private static final int KILLED = 128 + 9;

  @RegisterExtension final Installation shim = new Installation();

  /** A run directory that the bundle of {@code id} points to. */
  private Path run(String id) throws Exception {
    Path run = shim.runDir.resolve("a key");
    for (String name : List.of("leases", "removed")) {
      Files.createDirectories(run.resolve(name));
    }
    Files.writeString(shim.bundle(id).resolve("loom.run"), run + "\n");
    return run;
  }

  private static DeleteResponse silent(Outcome outcome) throws Exception {
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals("", outcome.stderr());
    return DeleteResponse.parseFrom(outcome.stdout());
  }

  private static void killed(Outcome outcome, int pid) throws Exception {
    DeleteResponse response = silent(outcome);
    assertEquals(KILLED, response.getExitStatus());
    assertEquals(pid, response.getPid());
    long age = Instant.now().getEpochSecond() - response.getExitedAt().getSeconds();
    assertTrue(age >= 0 && age < 60, "age " + age);
    assertTrue(response.getExitedAt().getNanos() >= 0 && response.getExitedAt().getNanos() < 1_000_000_000);
    assertArrayEquals(response.toByteArray(), outcome.stdout(), "the canonical form");
  }

  @Test
  void anAnswerOfTheDaemonIsPrintedByteForByteAndAgain() throws Exception {
    Path run = run("a");
    Files.createDirectory(run.resolve("deleted")); // of a daemon of an earlier version
    byte[] bytes = new byte[512];
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 7);
      escaped.append(String.format("\\%03o", bytes[i] & 0xff));
    }
    for (Path answer : List.of(run.resolve("deleted/a"), shim.bundle("a").resolve("loom.deleted"))) {
      Files.writeString(answer, escaped + "\n");
      for (int i = 0; i < 2; i++) {
        Outcome outcome = shim.delete("a");
        assertArrayEquals(bytes, outcome.stdout());
        assertEquals("", outcome.stderr());
        assertEquals(0, outcome.status());
      }
      Files.delete(answer);
    }
    assertFalse(Files.exists(run.resolve("removed/a")));
  }

  @Test
  void aContainerThatNeverWasIsReportedAsKilled() throws Exception {
    killed(shim.delete("a"), 0);
    killed(shim.delete("a"), 0);
  }

  @Test
  void thePidComesFromTheFileOfRunc() throws Exception {
    for (int pid : List.of(1, 127, 128, 16_383, 16_384, 4_194_304)) {
      Files.writeString(shim.bundle("a").resolve("init.pid"), Integer.toString(pid));
      killed(shim.delete("a"), pid);
    }
    Files.writeString(shim.bundle("a").resolve("init.pid"), "no number");
    killed(shim.delete("a"), 0);
  }

  @Test
  void theDaemonIsToldAndTheLeaseEnds() throws Exception {
    Path run = run("a");
    Files.createFile(run.resolve("leases/a"));
    Files.createFile(shim.bundle("a").resolve("loom.deleted"));
    killed(shim.delete("a"), 0);
    assertTrue(Files.exists(run.resolve("removed/a")));
    assertFalse(Files.exists(run.resolve("leases/a")));
  }

  @Test
  void aRunDirectoryThatIsGoneDoesNotMatter() throws Exception {
    Files.writeString(shim.bundle("a").resolve("loom.run"), "/nonexistent/run\n");
    killed(shim.delete("a"), 0);
  }

  @Test
  void theBundleMayBeGivenAndMayBeGone() throws Exception {
    run("a");
    Files.writeString(shim.bundle("a").resolve("loom.deleted"), "\\020\\007\n");
    List<String> flags = new ArrayList<>(List.of("-bundle", shim.bundle("a").toString()));
    flags.addAll(Installation.flags("a", "delete"));
    assertEquals(7, silent(Installation.finish(shim.command(shim.base, flags), null)).getExitStatus());
    flags.set(1, "/nonexistent/bundle");
    killed(Installation.finish(shim.command(shim.base, flags), null), 0);
  }

  /** A runc that writes down its arguments. */
  private Path recorder(String body) throws Exception {
    Path binary = shim.base.resolve("my runc");
    String log = shim.base.resolve("argv").toString().replace("'", "'\\''");
    Files.writeString(binary, "#!/bin/sh\nprintf '%s\\n' \"$@\" > '" + log + "'\n" + body + "\n");
    Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwxr-xr-x"));
    return binary;
  }

  @Test
  void theRuntimeIsCalledAsTheDaemonCalledIt() throws Exception {
    Path binary = recorder("echo out; echo err >&2");
    Files.writeString(shim.bundle("a").resolve("loom.runc"),
        "binary=" + binary + "\nroot=/my root=/test\nmounts=1\nsystemd_cgroup=1\n");
    killed(shim.delete("a"), 0);
    assertEquals(
        List.of("--root", "/my root=/test", "--log", shim.bundle("a") + "/log.json", "--log-format", "json",
            "--systemd-cgroup", "delete", "--force", "a"),
        Files.readAllLines(shim.base.resolve("argv")));
  }

  @Test
  void withoutTheDaemonsRecordTheFilesOfTheSeedServe() throws Exception {
    Path binary = recorder("exit 0");
    Files.writeString(shim.bundle("a").resolve("runtime"), binary.toString());
    Files.writeString(shim.bundle("a").resolve("options.json"), "{\"binary_name\":\"x\",\"root\":\"/my root\"}");
    killed(shim.delete("a"), 0);
    List<String> argv = Files.readAllLines(shim.base.resolve("argv"));
    assertEquals(List.of("--root", "/my root/test"), argv.subList(0, 2));
    assertFalse(argv.contains("--systemd-cgroup"));
  }

  @Test
  void aRuntimeThatFailsIsReportedAndTheAnswerGiven() throws Exception {
    Path binary = recorder("echo 'cannot do it' >&2; exit 1");
    Files.writeString(shim.bundle("a").resolve("loom.runc"), "binary=" + binary + "\nroot=/r/test\n");
    Outcome outcome = shim.delete("a");
    assertEquals(0, outcome.status());
    assertEquals("failed to delete a: cannot do it\n", outcome.stderr());
    assertEquals(KILLED, DeleteResponse.parseFrom(outcome.stdout()).getExitStatus());
  }

  @Test
  void withASandboxGoTheContainersThatCameToItsDaemonWithoutAStart() throws Exception {
    Path run = run("pod");
    Path calls = shim.base.resolve("calls");
    Path binary = recorder("echo \"$2 $*\" | sed 's/ .* / /' >> '" + calls.toString().replace("'", "'\\''") + "'");
    for (String id : List.of("pod", "member", "other", "stranger")) {
      Files.writeString(shim.bundle(id).resolve("loom.runc"), "binary=" + binary + "\nroot=/r/" + id + "\n");
    }
    Files.writeString(shim.bundle("member").resolve("sandbox"), "pod");
    Files.writeString(shim.bundle("other").resolve("sandbox"), "pod-2");
    Path rootfs = Files.createDirectories(shim.bundle("member").resolve("rootfs"));
    mount("tmpfs", "tmpfs", rootfs);
    killed(shim.delete("pod"), 0);
    assertEquals(List.of("/r/pod pod", "/r/member member"), Files.readAllLines(calls));
    assertTrue(Files.exists(run.resolve("removed/member")));
    assertFalse(Files.exists(run.resolve("removed/other")));
    assertFalse(Files.readString(Path.of("/proc/self/mounts")).contains(rootfs.toString().replace(" ", "\\040")));
  }

  @Test
  void allLayersOfTheRootAreUnmounted() throws Exception {
    Path rootfs = Files.createDirectories(shim.bundle("a").resolve("rootfs"));
    for (int i = 0; i < 2; i++) {
      mount("tmpfs", "tmpfs", rootfs);
      mount("tmpfs", "tmpfs", Files.createDirectories(rootfs.resolve("below")));
    }
    killed(shim.delete("a"), 0);
    String root = rootfs.toString().replace(" ", "\\040");
    assertFalse(Files.readString(Path.of("/proc/self/mounts")).contains(root));
  }

  private static void mount(String type, String source, Path target) throws Exception {
    assertEquals(0, new ProcessBuilder("mount", "-t", type, source, target.toString()).start().waitFor());
  }

  @Test
  void aContainerWhoseDaemonDiedIsKilledAndRemoved() throws Exception {
    Path busybox = Path.of(System.getenv().getOrDefault("LOOMSHIM_BUSYBOX", "/bin/busybox"));
    assumeTrue(Files.isExecutable(busybox), "needs busybox, in /bin or where LOOMSHIM_BUSYBOX says");
    String id = "loomshim-test-" + ProcessHandle.current().pid();
    Path bundle = shim.bundle(id);
    Path bin = Files.createDirectories(bundle.resolve("rootfs/bin"));
    Files.copy(busybox, bin.resolve("busybox"));
    String root = shim.base.resolve("runc root").toString();
    ProcessBuilder spec = new ProcessBuilder("runc", "spec").directory(bundle.toFile());
    assertEquals(0, Installation.finish(spec, null).status());
    Path config = bundle.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("\"terminal\": true", "\"terminal\": false")
        .replace("\"sh\"", "\"/bin/busybox\", \"sleep\", \"1000\""));
    ProcessBuilder create = new ProcessBuilder("runc", "--root", root, "run", "-d", "--pid-file", "init.pid", id)
        .directory(bundle.toFile()).redirectOutput(Path.of("/dev/null").toFile())
        .redirectError(Path.of("/dev/null").toFile());
    assertEquals(0, Installation.finish(create, null).status());
    int pid = Integer.parseInt(Files.readString(bundle.resolve("init.pid")));
    Files.writeString(bundle.resolve("loom.runc"), "binary=runc\nroot=" + root + "\nmounts=0\nsystemd_cgroup=0\n");
    killed(shim.delete(id), pid);
    assertFalse(Files.exists(Path.of(root, id)));
    assertTrue(Installation.ended(pid), "process " + pid + " is gone");
    killed(shim.delete(id), pid);
  }
}
