package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.Any;
import io.loomshim.launcher.Installation.Outcome;
import io.loomshim.proto.bootstrap.BootstrapParams;
import io.loomshim.proto.bootstrap.BootstrapResult;
import io.loomshim.proto.bootstrap.Extension;
import io.loomshim.proto.runc.Options;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** In which words {@code start} answers: those that the containerd that asks understands. */
final class AnnounceTest {
  private static final int TRACE = -8;

  @RegisterExtension final Installation shim = new Installation();

  private String told(String id, String versionMax) throws Exception {
    Outcome outcome = shim.with(shim.startCommand(id), Map.of("MAX_SHIM_VERSION", versionMax));
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals("", outcome.stderr());
    return outcome.out();
  }

  private String address(String id) throws Exception {
    return Files.readString(shim.bundle(id).resolve("address"));
  }

  private String json(String id) throws Exception {
    return "{\"version\":3,\"address\":\"" + address(id) + "\",\"protocol\":\"ttrpc\"}";
  }

  /** All fields that containerd fills, the level as a negative enum takes ten bytes. */
  private static BootstrapParams.Builder params(String id) {
    return BootstrapParams.newBuilder().setInstanceId(id).setNamespace("test").setLogLevel(TRACE)
        .setContainerdVersion("2.3.4").setContainerdTtrpcAddress("/run/c.sock.ttrpc")
        .setContainerdGrpcAddress("/run/c.sock").setContainerdBinary("/usr/bin/containerd");
  }

  @Test
  void aContainerdThatNamesNoVersionOrTheSecondGetsThePlainAddress() throws Exception {
    assertEquals("unix:///", shim.start("a").out().substring(0, 8));
    for (String max : List.of("2", "1", "", "many", "3.1", "-3")) {
      assertEquals(address("a"), told("a", max));
    }
  }

  @Test
  void aContainerdThatNamesALaterVersionGetsJsonWithTheThird() throws Exception {
    for (String max : List.of("3", "4", "9", "10", "42")) {
      String told = told("a", max);
      assertEquals(json("a"), told);
    }
    assertEquals("unix:///", address("a").substring(0, 8));
  }

  @Test
  void anAddressThatJsonWouldHaveToQuoteIsGivenAsItIs() throws Exception {
    shim.fakeJava("echo '1 1 unix:///run/a\"b'");
    assertEquals("unix:///run/a\"b", told("a", "3"));
    shim.fakeJava("printf '%s\\n' '1 1 unix:///run/a\\b'");
    assertEquals("unix:///run/a\\b", told("b", "3"));
  }

  @Test
  void bootstrapParametersAreAnsweredWithABootstrapResult() throws Exception {
    byte[] options = params("a").addExtensions(Extension.newBuilder().setValue(
        Any.newBuilder().setTypeUrl("containerd.runc.v1.Options")
            .setValue(Options.newBuilder().setBinaryName("/opt/my\0runc\n").build().toByteString())))
        .setSocketDir("/run/containerd/s").build().toByteArray();
    for (byte[] stdin : List.of(params("a").build().toByteArray(), options)) {
      Outcome outcome = shim.start("a", stdin);
      assertEquals(0, outcome.status(), outcome.stderr());
      assertEquals(BootstrapResult.newBuilder().setVersion(3).setAddress(address("a")).setProtocol("ttrpc").build(),
          BootstrapResult.parseFrom(outcome.stdout()));
    }
  }

  /** Written out by hand after the definition of the messages, so that no library of ours stands between. */
  @Test
  void theBytesOfQuestionAndAnswerAreThoseOfTheDefinition() throws Exception {
    var question = new ByteArrayOutputStream();
    question.writeBytes(new byte[] {012, 3, 'p', 'o', 'd', 022, 4, 't', 'e', 's', 't', 030});
    question.writeBytes(new byte[] {-4, -1, -1, -1, -1, -1, -1, -1, -1, 1}); // DEBUG, -4
    question.writeBytes(new byte[] {042, 5, '2', '.', '3', '.', '4', 052, 2, '/', 't', 062, 2, '/', 'g'});
    Outcome outcome = shim.start("pod", question.toByteArray());
    byte[] address = address("pod").getBytes(StandardCharsets.US_ASCII);
    var answer = new ByteArrayOutputStream();
    answer.writeBytes(new byte[] {010, 3, 022, (byte) address.length});
    answer.writeBytes(address);
    answer.writeBytes(new byte[] {032, 5, 't', 't', 'r', 'p', 'c'});
    assertArrayEquals(answer.toByteArray(), outcome.stdout());
  }

  @Test
  void anAddressOfAnyLengthHasItsLengthInTheResult() throws Exception {
    for (int length : List.of(9, 63, 64, 100, 107 + 7)) {
      String address = "unix:///" + "x".repeat(length - 8);
      shim.fakeJava("echo '1 1 " + address + "'");
      assertEquals(address,
          BootstrapResult.parseFrom(shim.start("a", params("a").build().toByteArray()).stdout()).getAddress());
    }
  }

  @Test
  void optionsOfOlderVersionsAreNoBootstrapParameters() throws Exception {
    byte[] any = Any.newBuilder().setTypeUrl("containerd.runc.v1.Options").build().toByteArray();
    assertEquals("unix:///", shim.start("a", any).out().substring(0, 8));
    assertEquals("unix:///", shim.start("a", params("other").build().toByteArray()).out().substring(0, 8));
  }

  @Test
  void inContainerModeASandboxKeepsItsDaemonToItself() throws Exception {
    shim.set("mode", "container");
    String told = told("a", "3");
    assertEquals(address("a"), told);
    Outcome outcome = shim.start("a", params("a").build().toByteArray());
    assertEquals(2, BootstrapResult.parseFrom(outcome.stdout()).getVersion());
  }

  @Test
  void theVersionCanBeSetForAContainerdThatDoesNotTellWhatItKnows() throws Exception {
    shim.set("task_api", "3");
    String told = told("a", "2");
    assertEquals(json("a"), told);
    shim.set("task_api", "2");
    assertEquals(address("a"), told("a", "3"));
    byte[] stdin = params("a").build().toByteArray();
    assertEquals(2, BootstrapResult.parseFrom(shim.start("a", stdin).stdout()).getVersion());
  }

  @Test
  void aVersionThatIsNoneCountsAsNotSet() throws Exception {
    shim.set("task_api", "4");
    String told = told("a", "2");
    assertEquals(address("a"), told);
    assertEquals(json("a"), told("a", "3"));
  }
}
