package io.loomshim.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.Any;
import io.loomshim.proto.bootstrap.BootstrapParams;
import io.loomshim.proto.bootstrap.Extension;
import io.loomshim.proto.runc.Options;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StartOptionsTest {
  private static final Options OPTIONS =
      Options.newBuilder().setShimCgroup("/loom/shims").setBinaryName("/usr/bin/crun").build();

  @TempDir Path temp;

  private static byte[] any(String type, Options options) {
    return Any.newBuilder().setTypeUrl(type).setValue(options.toByteString()).build().toByteArray();
  }

  private String printed(byte[] bytes) throws Exception {
    Path file = Files.write(temp.resolve("options"), bytes);
    var out = new ByteArrayOutputStream();
    PrintStream real = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      StartOptions.main(new String[] {file.toString()});
    } finally {
      System.setOut(real);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void theLauncherIsToldOneNameAndValueALine() throws Exception {
    assertEquals(
        "shim_cgroup=/loom/shims\nbinary_name=/usr/bin/crun\nconfig_path=\n",
        printed(any("containerd.runc.v1.Options", OPTIONS)));
  }

  @Test
  void aTypeMayHaveAPrefixOfItsOwn() throws Exception {
    assertEquals("shim_cgroup=/loom/shims\nbinary_name=/usr/bin/crun\nconfig_path=\n",
        printed(any("type.googleapis.com/containerd.runc.v1.Options", OPTIONS)));
  }

  @Test
  void bytesThatMeanNothingMeanNoOptions() throws Exception {
    String none = "shim_cgroup=\nbinary_name=\nconfig_path=\n";
    assertEquals(none, printed(new byte[0]));
    assertEquals(none, printed("no protobuf at all".getBytes(StandardCharsets.UTF_8)));
    assertEquals(none, printed(any("runtimeoptions.v9.Unknown", OPTIONS)));
    byte[] cut = any("containerd.runc.v1.Options", OPTIONS);
    assertEquals(none, printed(Arrays.copyOf(cut, cut.length - 1)));
  }

  @Test
  void aValueCannotPretendToBeAnotherLine() throws Exception {
    Options tricky = Options.newBuilder().setShimCgroup("/a\nbinary_name=/evil").build();
    assertEquals("shim_cgroup=\nbinary_name=\nconfig_path=\n", printed(any("containerd.runc.v1.Options", tricky)));
  }

  @Test
  void bootstrapParamsOfContainerd23CarryTheOptionsAsAnExtension() throws Exception {
    var other = Extension.newBuilder().setValue(Any.newBuilder().setTypeUrl("some.other.Thing"));
    var ours = Extension.newBuilder().setValue(Any.parseFrom(any("containerd.runc.v1.Options", OPTIONS)));
    byte[] bytes =
        BootstrapParams.newBuilder()
            .setInstanceId("web-1")
            .setNamespace("k8s.io")
            .setLogLevel(-4)
            .addExtensions(other)
            .addExtensions(ours)
            .build()
            .toByteArray();
    assertEquals("shim_cgroup=/loom/shims\nbinary_name=/usr/bin/crun\nconfig_path=\n", printed(bytes));
  }

  @Test
  void aContainerThatIsCalledLikeATypeOfOptionsChangesNothing() throws Exception {
    // read as an Any, its namespace would be the options: field 6, the binary's name
    String namespace = "2-" + "x".repeat(45);
    var ours = Extension.newBuilder().setValue(Any.parseFrom(any("containerd.runc.v1.Options", OPTIONS)));
    var params = BootstrapParams.newBuilder().setInstanceId("containerd.runc.v1.Options").setNamespace(namespace)
        .setContainerdVersion("2.3.0");
    assertEquals("shim_cgroup=\nbinary_name=\nconfig_path=\n", printed(params.build().toByteArray()));
    assertEquals("shim_cgroup=/loom/shims\nbinary_name=/usr/bin/crun\nconfig_path=\n",
        printed(params.addExtensions(ours).build().toByteArray()));
  }

  @Test
  void theFileWithTheOptionsIsNamedSoThatAChangeOfItIsSeen() throws Exception {
    Path file = Files.writeString(temp.resolve("options.toml"), "ShimCgroup = '/c'\n");
    var options = io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigPath(file.toString()).build();
    var bytes = Any.newBuilder().setTypeUrl("runtimeoptions.v1.Options").setValue(options.toByteString()).build();
    assertEquals("shim_cgroup=/c\nbinary_name=\nconfig_path=" + file + "\n", printed(bytes.toByteArray()));
    Files.delete(file);
    assertEquals("shim_cgroup=\nbinary_name=\nconfig_path=" + file + "\n", printed(bytes.toByteArray()));
  }
}
