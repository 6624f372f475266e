package io.loomshim.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.loomshim.proto.linuxrunc.CreateOptions;
import io.loomshim.proto.runc.Options;
import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;
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
    assertEquals(ALL, RuntimeOptions.decode(toml(TOML)));
    Path file = Files.writeString(temp.resolve("options.toml"), TOML);
    for (String type : List.of("runtimeoptions.v1.Options", "cri.runtimeoptions.v1.Options")) {
      var path = io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigPath(file.toString()).build();
      assertEquals(ALL, RuntimeOptions.decode(any(type, path)));
    }
  }

  @Test
  void whatCannotBeReadIsAnInvalidArgumentThatSaysWhy() {
    refused(any("containerd.runhcs.v1.Options", ALL), "containerd.runhcs.v1.Options");
    var garbage = Any.newBuilder().setTypeUrl("containerd.runc.v1.Options");
    refused(garbage.setValue(ByteString.copyFromUtf8("\u0007x")).build(), "containerd.runc.v1.Options");
    refused(toml("BinaryName = 1"), "BinaryName is no string");
    refused(toml("IoUid = -1"), "IoUid is no number");
    refused(toml("SystemdCgroup = 'yes'"), "SystemdCgroup is no boolean");
    refused(toml("nonsense"), "line 1");
    refused(any("runtimeoptions.v1.Options",
        io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigPath("/no/such/file").build()), "/no/such/file");
  }

  @Test
  void hostilePathsAreRefused() {
    refused(any("containerd.runc.v1.Options", Options.newBuilder().setBinaryName("a\nb").build()), "control");
    refused(any("containerd.runc.v1.Options", Options.newBuilder().setRoot("relative").build()), "absolute");
    refused(any("containerd.runc.v1.Options", Options.newBuilder().setRoot("/a\0b").build()), "control");
  }
}
