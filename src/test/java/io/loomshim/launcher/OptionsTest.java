package io.loomshim.launcher;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.loomshim.launcher.Installation.Outcome;
import io.loomshim.proto.runc.Options;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What stands on stdin of {@code start}: decoded once by a JVM, remembered, and never a failure. */
final class OptionsTest {
  @RegisterExtension final Installation shim = new Installation();

  /** What {@link #answering} keeps. */
  private Path calls() {
    return shim.base.resolve("calls");
  }

  /** A java that answers StartOptions with {@code answer}, keeps what it was asked, and starts daemons. */
  private void answering(String answer) throws Exception {
    String kept = calls().toString().replace("'", "'\\''");
    shim.fakeJava("for last do :; done\n"
        + "case \" $* \" in *' io.loomshim.daemon.StartOptions '*) cat \"$last\" >> '" + kept + "'\n" + answer
        + "\nexit;; esac\nexec '" + Installation.java() + "' \"$@\"");
  }

  private static byte[] any(Options options) {
    return Any.newBuilder().setTypeUrl("containerd.runc.v1.Options").setValue(options.toByteString()).build()
        .toByteArray();
  }

  private static byte[] bootstrap(String id, String namespace) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(10);
    out.write(id.length());
    out.writeBytes(id.getBytes(StandardCharsets.US_ASCII));
    out.write(18);
    out.write(namespace.length());
    out.writeBytes(namespace.getBytes(StandardCharsets.US_ASCII));
    return out.toByteArray();
  }

  @Test
  void emptyStdinMeansNoOptionsAndNoJvm() throws Exception {
    answering("exit 1");
    assertEquals(0, shim.start("a", new byte[0]).status());
    assertFalse(Files.exists(calls()));
    assertEquals(0, shim.start("b").status());
    assertEquals(shim.daemon("a"), shim.daemon("b"));
  }

  @Test
  void theSameBytesAreDecodedOnceAndArriveUnchanged() throws Exception {
    answering("echo shim_cgroup=");
    byte[] options = any(Options.newBuilder().setBinaryName("a%b\\c\n").setIoUid(128).setRoot("\u00e9\0x").build());
    assertEquals(0, shim.start("a", options).status());
    assertEquals(0, shim.start("b", options).status());
    assertEquals(ByteString.copyFrom(options), ByteString.copyFrom(Files.readAllBytes(calls())));
    assertEquals(shim.daemon("a"), shim.daemon("b"));
  }

  @Test
  void optionsInAFileAreDecodedAgainWhenTheFileHasChanged() throws Exception {
    Path file = Files.writeString(shim.base.resolve("options.toml"), "");
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
    answering("printf 'config_path=%s\\n' '" + file.toString().replace("'", "'\\''") + "'");
    byte[] options = any(Options.newBuilder().setRoot("/x").build());
    assertEquals(0, shim.start("a", options).status());
    assertEquals(0, shim.start("b", options).status());
    assertEquals(options.length, Files.size(calls()));
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(2)));
    assertEquals(0, shim.start("c", options).status());
    assertEquals(2 * options.length, Files.size(calls()));
  }

  @Test
  void longOptionsAreRememberedToo() throws Exception {
    answering("echo shim_cgroup=");
    byte[] options = any(Options.newBuilder().setCriuImagePath("/x".repeat(500)).build());
    assertEquals(0, shim.start("a", options).status());
    assertEquals(0, shim.start("b", options).status());
    assertEquals(options.length, Files.size(calls()));
  }

  @Test
  void bootstrapParametersAreDecodedOncePerNamespaceAlthoughTheyNameTheContainer() throws Exception {
    answering("echo shim_cgroup=");
    assertEquals(0, shim.start("first", bootstrap("first", "test")).status());
    assertEquals(0, shim.start("another", bootstrap("another", "test")).status());
    assertEquals(bootstrap("first", "test").length, Files.size(calls()));
    assertEquals(0, shim.start("third", bootstrap("third", "other")).status());
    assertNotEquals(bootstrap("first", "test").length, Files.size(calls()));
  }

  @Test
  void bytesThatNobodyUnderstandsDoNotMatter() throws Exception {
    answering("exit 1");
    byte[] junk = new byte[256];
    for (int i = 0; i < junk.length; i++) {
      junk[i] = (byte) i;
    }
    Outcome outcome = shim.start("a", junk);
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals("", outcome.stderr());
    assertTrue(outcome.out().startsWith("unix:///"));
  }

  @Test
  void aShimCgroupThatDoesNotExistIsAnError() throws Exception {
    answering("echo shim_cgroup=/loomshim-no-such-group");
    Outcome outcome = shim.start("a", any(Options.newBuilder().setShimCgroup("/loomshim-no-such-group").build()));
    assertEquals(1, outcome.status());
    assertEquals("io.containerd.loom.v1: failed to load cgroup /loomshim-no-such-group: no such cgroup\n",
        outcome.stderr());
  }

  @Test
  void aShimCgroupAsksForADaemonOfItsOwnInThatCgroup() throws Exception {
    assertEquals(0, shim.start("a").status());
    Path group = cgroupRoot().resolve("loomshim-test-" + ProcessHandle.current().pid());
    Files.createDirectory(group);
    try {
      String name = "/" + group.getFileName();
      answering("echo shim_cgroup=" + name);
      byte[] options = any(Options.newBuilder().setShimCgroup(name).build());
      Outcome outcome = shim.start("b", options);
      assertEquals(0, outcome.status(), outcome.stderr());
      shim.start("c", options);
      assertNotEquals(shim.daemon("a"), shim.daemon("b"));
      assertEquals(shim.daemon("b"), shim.daemon("c"));
      assertEquals(List.of(Long.toString(shim.daemon("b"))), Files.readAllLines(group.resolve("cgroup.procs")));
      Installation.kill(shim.daemon("b"));
    } finally {
      // busy until the killed daemon is reaped
      await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(10)).ignoreExceptions().until(() -> {
        Files.delete(group);
        return true;
      });
    }
  }

  private static Path cgroupRoot() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String[] words = line.split(" ");
      if (words[2].equals("cgroup") && words[3].contains("pids") || words[2].equals("cgroup2")) {
        return Path.of(words[1]);
      }
    }
    throw new AssertionError("no cgroup hierarchy with the pids controller");
  }

  @Test
  void anotherRuntimeBinaryNeedsNoRunc() throws Exception {
    answering("echo shim_cgroup=; echo binary_name=/opt/other");
    byte[] options = any(Options.newBuilder().setBinaryName("/opt/other").build());
    assertEquals(0, shim.start("a", options).status());
    Path bin = Files.createDirectories(shim.base.resolve("bin"));
    for (String tool : List.of("od", "sha256sum")) {
      Files.copy(Path.of("/usr/bin", tool), bin.resolve(tool), StandardCopyOption.COPY_ATTRIBUTES);
    }
    ProcessBuilder builder = shim.startCommand("b");
    builder.environment().putAll(Map.of("PATH", bin.toString()));
    Outcome outcome = Installation.finish(builder, options);
    assertEquals(0, outcome.status(), outcome.stderr());
  }

  @Test
  void rememberedAnswersAreBounded() throws Exception {
    answering("echo shim_cgroup=");
    shim.start("a", new byte[] {1});
    Path known;
    try (var builds = Files.list(shim.runDir.resolve("options"))) {
      known = builds.findFirst().orElseThrow();
    }
    for (int i = 0; i < 600; i++) {
      Files.writeString(known.resolve("x" + i), "shim_cgroup=\n");
    }
    shim.start("a", new byte[] {2});
    try (var files = Files.list(known)) {
      assertEquals(1, files.count());
    }
  }
}
