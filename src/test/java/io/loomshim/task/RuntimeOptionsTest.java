package io.loomshim.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Posix;
import io.loomshim.proto.linuxrunc.CreateOptions;
import io.loomshim.proto.runc.Options;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeOptionsTest {
  private static final String TOML = "BinaryName = '/usr/bin/crun'\nRoot = '/run/x'\nSystemdCgroup = true\n"
      + "NoPivotRoot = true\nNoNewKeyring = true\nShimCgroup = '/shims'\nIoUid = 7\nIoGid = 4294967295\n"
      + "CriuPath = '/c'\nCriuImagePath = '/i'\nCriuWorkPath = '/w'\nFromTheFuture = 'ignored'\n";
  private static final Options ALL =
      Options.newBuilder().setBinaryName("/usr/bin/crun").setRoot("/run/x").setSystemdCgroup(true)
          .setNoPivotRoot(true).setNoNewKeyring(true).setShimCgroup("/shims").setIoUid(7).setIoGid(-1)
          .setCriuPath("/c").setCriuImagePath("/i").setCriuWorkPath("/w").build();

  @TempDir Path temp;

  private static Any any(String type, MessageLite message) {
    return Any.newBuilder().setTypeUrl(type).setValue(message.toByteString()).build();
  }

  private static void refused(Any any, String words) {
    var e = assertThrows(StatusException.class, () -> RuntimeOptions.decode(any));
    assertEquals(Code.INVALID_ARGUMENT, e.code());
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  private static Any toml(String body) {
    return any("runtimeoptions.v1.Options",
        io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigBody(ByteString.copyFromUtf8(body)).build());
  }

  @Test
  void absentAndEmptyOptionsAreDefaults() {
    assertEquals(Options.getDefaultInstance(), RuntimeOptions.decode(Any.getDefaultInstance()));
    assertEquals(Options.getDefaultInstance(),
        RuntimeOptions.decode(Any.newBuilder().setTypeUrl("containerd.runc.v1.Options").build()));
    assertEquals(Options.getDefaultInstance(), RuntimeOptions.decode(toml("")));
  }

  @Test
  void runcOptionsAreTakenAsTheyAre() {
    assertEquals(ALL, RuntimeOptions.decode(any("containerd.runc.v1.Options", ALL)));
    assertEquals(ALL, RuntimeOptions.decode(any("type.googleapis.com/containerd.runc.v1.Options", ALL)));
  }

  @Test
  void createOptionsOfOlderClientsKeepTheirMeaning() {
    var old = CreateOptions.newBuilder().setNoPivotRoot(true).setNoNewKeyring(true).setShimCgroup("/s").setIoUid(1)
        .setIoGid(2).setCriuWorkPath("/w").setCriuImagePath("/i").build();
    var expected = Options.newBuilder().setNoPivotRoot(true).setNoNewKeyring(true).setShimCgroup("/s").setIoUid(1)
        .setIoGid(2).setCriuWorkPath("/w").setCriuImagePath("/i").build();
    assertEquals(expected, RuntimeOptions.decode(any("containerd.linux.runc.CreateOptions", old)));
  }

  @Test
  void everyTomlOptionIsReadFromTheBodyAndFromAFile() throws Exception {
    Options all = ALL.toBuilder().clearCriuImagePath().build();
    assertEquals(all, RuntimeOptions.decode(toml(TOML)));
    Path file = Files.writeString(temp.resolve("options.toml"), TOML);
    for (String type : List.of("runtimeoptions.v1.Options", "cri.runtimeoptions.v1.Options")) {
      var path = io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigPath(file.toString()).build();
      assertEquals(all, RuntimeOptions.decode(any(type, path)));
    }
  }

  @Test
  void theCaseOfTomlNamesDoesNotCount() {
    assertEquals(Options.newBuilder().setSystemdCgroup(true).setRoot("/r").build(),
        RuntimeOptions.decode(toml("systemdCgroup = true\nROOT = '/r'")));
  }

  @Test
  void aConfiguredImagePathAsksForNoRestore() {
    assertEquals("", RuntimeOptions.decode(toml("CriuImagePath = '/i'")).getCriuImagePath());
    refused(toml("CriuImagePath = 1"), "CriuImagePath is not a string");
  }

  @Test
  void onlyARegularFileOfAReasonableSizeIsRead() throws Exception {
    String fifo = Posix.fifo(temp.resolve("fifo"));
    for (String path : List.of("/dev/zero", fifo, temp.toString(), "a\0b")) {
      refused(file(path), "cannot be read");
    }
    refused(file(Files.writeString(temp.resolve("large"), "#".repeat(70_000)).toString()), "longer than");
  }

  @Test
  void onlyOptionsInAFileNameOne() {
    assertEquals("/etc/x", RuntimeOptions.file(file("/etc/x")));
    assertEquals("", RuntimeOptions.file(toml("Root = '/etc/x'")));
    assertEquals("", RuntimeOptions.file(any("containerd.runc.v1.Options", ALL)));
    assertEquals("", RuntimeOptions.file(Any.getDefaultInstance()));
  }

  private static Any file(String path) {
    return any("runtimeoptions.v1.Options",
        io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigPath(path).build());
  }

  @Test
  void whatCannotBeReadIsAnInvalidArgumentThatSaysWhy() {
    refused(any("containerd.runhcs.v1.Options", ALL), "containerd.runhcs.v1.Options");
    var garbage = Any.newBuilder().setTypeUrl("containerd.runc.v1.Options");
    refused(garbage.setValue(ByteString.copyFromUtf8("\u0007x")).build(), "containerd.runc.v1.Options");
    refused(toml("BinaryName = 1"), "BinaryName is not a string");
    refused(toml("IoUid = -1"), "IoUid is not a number");
    refused(toml("SystemdCgroup = 'yes'"), "SystemdCgroup is not a boolean");
    refused(toml("nonsense"), "line 1");
    refused(any("runtimeoptions.v1.Options",
        io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigPath("/no/such/file").build()), "/no/such/file");
  }

  @Test
  void hostilePathsAreRefused() {
    for (String path : List.of("/a\nb", "/a\0b", "/a\rb", "/a\u001bb", "/a\u007fb")) {
      refused(runc(Options.newBuilder().setBinaryName(path)), "binary_name");
      refused(runc(Options.newBuilder().setRoot(path)), "root");
      refused(runc(Options.newBuilder().setShimCgroup(path)), "shim_cgroup");
      refused(runc(Options.newBuilder().setCriuPath(path)), "criu_path");
      refused(runc(Options.newBuilder().setCriuImagePath(path)), "criu_image_path");
      refused(runc(Options.newBuilder().setCriuWorkPath(path)), "criu_work_path");
    }
    refused(toml("Root = \"/a\\u0000b\""), "root");
    refused(any("containerd.runc.v1.Options", Options.newBuilder().setRoot("relative").build()), "absolute");
  }

  private static Any runc(Options.Builder options) {
    return any("containerd.runc.v1.Options", options.build());
  }
}
