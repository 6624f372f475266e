package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import io.loomshim.launcher.Installation.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Flags, names that are refused, questions about the shim, and the shape of the script itself. */
final class CommandLineTest {
  @RegisterExtension final Installation shim = new Installation();

  private Outcome run(String... arguments) throws Exception {
    return Installation.finish(shim.command(shim.bundle("a"), List.of(arguments)), null);
  }

  @Test
  void flagsHaveTheSyntaxOfGo() throws Exception {
    for (List<String> flags : List.of(
        List.of("--namespace", "n", "--address=/a", "-id=a", "-debug", "delete"),
        List.of("-namespace=n", "-debug=true", "--debug=0", "-id", "a", "-socket", "", "delete", "-unknown"),
        List.of("-debug=F", "-namespace", "n", "-id", "a", "-publish-binary", "-x", "--", "delete"))) {
      Outcome outcome = run(flags.toArray(String[]::new));
      assertEquals(0, outcome.status(), outcome.stderr());
      assertEquals("", outcome.stderr());
      assertTrue(outcome.stdout().length > 0);
    }
  }

  @Test
  void badFlagsGiveTheUsageAndStatusTwo() throws Exception {
    for (List<String> flags : List.of(List.of("-unknown", "start"), List.of("---id", "start"),
        List.of("-debug=maybe"), List.of("-namespace"), List.of("-=x"))) {
      Outcome outcome = run(flags.toArray(String[]::new));
      assertEquals(2, outcome.status());
      assertTrue(outcome.stderr().contains("Usage of containerd-shim-loom-v1:"), outcome.stderr());
      assertEquals("", outcome.out());
    }
  }

  @Test
  void everyActionNeedsANamespace() throws Exception {
    for (String action : List.of("start", "delete", "")) {
      Outcome outcome = run("-id", "a", action);
      assertEquals(1, outcome.status());
      assertEquals("io.containerd.loom.v1: shim namespace cannot be empty\n", outcome.stderr());
    }
  }

  @Test
  void otherActionsAreRefusedInOneLine() throws Exception {
    Outcome outcome = run("-namespace", "n", "-id", "a", "serve");
    assertEquals(1, outcome.status());
    assertEquals(1, outcome.stderr().lines().count());
    assertEquals(1, run("-namespace", "n", "-id", "a").status());
  }

  @Test
  void hostileNamesAreRefusedInOneLineAndLeaveNothing() throws Exception {
    List<String> names = List.of("../x", "..", ".", "a/b", "/etc/passwd", "a\nb", "a b", "a*", "-a", "a-", "a..b",
        "a'b", "$(id)", "`id`", "\u00e9", "x".repeat(77), "x".repeat(4096), "");
    for (String name : names) {
      for (String action : List.of("start", "delete")) {
        for (List<String> flags : List.of(List.of("-namespace", "n", "-id", name, action),
            List.of("-namespace", name.isEmpty() ? "/" : name, "-id", "a", action))) {
          Outcome outcome = run(flags.toArray(String[]::new));
          assertEquals(1, outcome.status(), name);
          assertEquals("", outcome.out());
          assertEquals(1, outcome.stderr().lines().count(), outcome.stderr());
        }
      }
    }
    assertFalse(Files.exists(shim.runDir));
  }

  @Test
  void inspectIsAnsweredByAJvmThatIsToldWhereDaemonsAre() throws Exception {
    shim.fakeJava("for word; do case $word in io.loomshim.*) found=1 ;; esac; "
        + "if [ \"${found-}\" ]; then echo \"$word\"; fi; done; exit 3");
    Outcome outcome = run("inspect", "--json", "--namespace", "a b");
    assertEquals(3, outcome.status(), outcome.stderr());
    assertEquals("io.loomshim.cli.Main\n" + shim.runDir + "\n--json\n--namespace\na b\n", outcome.out());
  }

  @Test
  void upgradeIsDoneByAJvmThatIsToldHowADaemonIsStarted() throws Exception {
    shim.fakeJava("for word; do case $word in io.loomshim.*) found=1 ;; esac; "
        + "if [ \"${found-}\" ]; then echo \"$word\"; fi; done; exit 1");
    shim.set("linger_seconds", "7");
    shim.set("java_options", "-Xmx99m");
    Outcome outcome = run("upgrade", "--namespace", "a");
    assertEquals(1, outcome.status(), outcome.stderr());
    List<String> words = outcome.out().lines().toList();
    String build = Files.readSymbolicLink(shim.prefix.resolve("lib/loomshim/current")).toString();
    assertEquals(List.of("io.loomshim.cli.Upgrade", shim.runDir.toString(), "a", build,
        shim.base.resolve("fake jdk/bin/java").toString()), words.subList(0, 5));
    int jar = words.indexOf("-jar");
    assertEquals(List.of("-Xmx99m", "-XX:ErrorFile=@run-dir@/hs_err.log"), words.subList(jar - 2, jar));
    assertEquals(List.of(shim.prefix.resolve("lib/loomshim/" + build + "/loomshim.jar").toString(), "-namespace",
        "@namespace@", "-address", "@address@", "-run-dir", "@run-dir@", "-mode", "@mode@", "-build", build, "-linger",
        "7", "-threads", "virtual", "-runc-timeout", "60", "-stuck", "30"), words.subList(jar + 1, words.size()));
    assertEquals("", run("upgrade").out().lines().toList().get(2));
  }

  @Test
  void upgradeRefusesWhatItDoesNotTake() throws Exception {
    for (List<String> wrong : List.of(List.of("x"), List.of("--namespace"), List.of("--namespace", "../x"),
        List.of("--namespace", "a", "b"))) {
      var words = new ArrayList<>(List.of("upgrade"));
      words.addAll(wrong);
      Outcome outcome = run(words.toArray(String[]::new));
      assertEquals(2, outcome.status(), wrong.toString());
      assertTrue(outcome.stderr().contains("Usage of containerd-shim-loom-v1:"), outcome.stderr());
    }
  }

  @Test
  void theVersionHasFiveLines() throws Exception {
    Outcome outcome = run("-v");
    assertEquals(0, outcome.status());
    assertEquals("containerd-shim-loom-v1:\n  Version:  9.8.7\n  Revision: 0123456789ab\n  Java version: "
        + Runtime.version().feature() + "\n\n", outcome.out());
  }

  @Test
  void theInformationIsARuntimeInfoWithTheFeaturesOfRunc() throws Exception {
    Outcome outcome = run("-info");
    assertEquals(0, outcome.status(), outcome.stderr());
    CodedInputStream info = CodedInputStream.newInstance(outcome.stdout());
    assertEquals(10, info.readTag());
    assertEquals("io.containerd.loom.v1", info.readString());
    assertEquals(18, info.readTag());
    CodedInputStream version = info.readBytes().newCodedInput();
    assertEquals(10, version.readTag());
    assertEquals("9.8.7", version.readString());
    assertEquals(18, version.readTag());
    assertEquals("0123456789ab", version.readString());
    assertTrue(version.isAtEnd());
    assertEquals(34, info.readTag());
    CodedInputStream any = info.readBytes().newCodedInput();
    assertTrue(info.isAtEnd());
    assertEquals(10, any.readTag());
    assertEquals("types.containerd.io/opencontainers/runtime-spec/1/features/Features", any.readString());
    assertEquals(18, any.readTag());
    String features = any.readString();
    assertTrue(any.isAtEnd());
    assertTrue(features.startsWith("{") && features.endsWith("}"), features);
    assertTrue(features.contains("\"ociVersionMin\""));
  }

  @Test
  void theInformationRepeatsTheOptionsAndDoesWithoutFeaturesThatARuntimeDoesNotTell() throws Exception {
    Path old = Files.writeString(shim.base.resolve("old-runtime"), "#!/bin/sh\necho no such command >&2; exit 1\n");
    Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rwxr-xr-x"));
    shim.fakeJava("echo binary_name='" + old.toString().replace("'", "'\\''") + "'");
    Any options = Any.newBuilder().setTypeUrl("containerd.runc.v1.Options")
        .setValue(ByteString.copyFrom(new byte[] {0, 10, (byte) 200, '%', '\\', 39})).build();
    Outcome outcome = Installation.finish(shim.command(shim.bundle("a"), List.of("-info")), options.toByteArray());
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals("", outcome.stderr());
    CodedInputStream info = CodedInputStream.newInstance(outcome.stdout());
    assertEquals(10, info.readTag());
    assertEquals("io.containerd.loom.v1", info.readString());
    assertEquals(18, info.readTag());
    info.readBytes();
    assertEquals(26, info.readTag());
    assertEquals(options, Any.parseFrom(info.readBytes()));
    assertTrue(info.isAtEnd());
  }

  @Test
  void theInformationAboutARuntimeThatIsMissingIsAnErrorInOneLine() throws Exception {
    Path empty = Files.createDirectories(shim.base.resolve("empty"));
    Outcome outcome = shim.with(shim.command(shim.bundle("a"), List.of("-info")), Map.of("PATH", empty.toString()));
    assertEquals(1, outcome.status());
    assertEquals("", outcome.out());
    assertEquals("io.containerd.loom.v1: no runc or crun found in PATH=" + empty + "\n", outcome.stderr());
  }

  @Test
  void whereCrunIsAloneTheInformationIsItsOwn() throws Exception {
    Path alone = shim.program("crun", "[ \"$1\" = features ] && echo '{\"ociVersionMax\":\"1.2.0\"}'");
    Outcome outcome = shim.with(shim.command(shim.bundle("a"), List.of("-info")),
        Map.of("PATH", alone.getParent().toString()));
    assertEquals(0, outcome.status(), outcome.stderr());
    assertTrue(outcome.out().contains("{\"ociVersionMax\":\"1.2.0\"}"), outcome.out());
  }
}
