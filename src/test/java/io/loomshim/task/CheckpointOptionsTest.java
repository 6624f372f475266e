package io.loomshim.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Any;
import io.loomshim.checkpoint.CheckpointSpec;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CheckpointOptionsTest {
  private static final CheckpointSpec ALL =
      new CheckpointSpec(
          Path.of("/image"), Optional.of(Path.of("/work")), true, true, true, true, true, List.of("network"));

  @Test
  void withoutOptionsTheImageGoesWhereTheRequestSaysAndTheContainerRunsOn() {
    var expected =
        new CheckpointSpec(Path.of("/asked"), Optional.empty(), false, false, false, false, false, List.of());
    assertEquals(expected, CheckpointOptions.decode(Any.getDefaultInstance(), "/asked"));
  }

  @Test
  void bothTypesMeanTheSameAlthoughTheirPathsHaveEachOthersNumber() {
    var runc = io.loomshim.proto.runc.CheckpointOptions.newBuilder().setExit(true).setOpenTcp(true)
        .setExternalUnixSockets(true).setTerminal(true).setFileLocks(true).addEmptyNamespaces("network")
        .setImagePath("/image").setWorkPath("/work").build();
    var linux = io.loomshim.proto.linuxrunc.CheckpointOptions.newBuilder().setExit(true).setOpenTcp(true)
        .setExternalUnixSockets(true).setTerminal(true).setFileLocks(true).addEmptyNamespaces("network")
        .setImagePath("/image").setWorkPath("/work").build();
    var first = Any.newBuilder().setTypeUrl("containerd.runc.v1.CheckpointOptions").setValue(runc.toByteString());
    var second = Any.newBuilder().setTypeUrl("containerd.linux.runc.CheckpointOptions").setValue(linux.toByteString());
    assertEquals(ALL, CheckpointOptions.decode(first.build(), "/x"));
    assertEquals(ALL, CheckpointOptions.decode(second.build(), "/x"));
  }

  @Test
  void anUnknownTypeAndNoPathAreInvalidArguments() {
    for (Any any : List.of(Any.newBuilder().setTypeUrl("some.Thing").build(), Any.getDefaultInstance())) {
      var e = assertThrows(StatusException.class, () -> CheckpointOptions.decode(any, ""));
      assertEquals(Code.INVALID_ARGUMENT, e.code());
    }
  }

  @Test
  void hostilePathsAreInvalidArguments() {
    for (String path : List.of("/a\0b", "/a\nb")) {
      var e = assertThrows(StatusException.class, () -> CheckpointOptions.decode(Any.getDefaultInstance(), path));
      assertEquals(Code.INVALID_ARGUMENT, e.code());
    }
  }
}
