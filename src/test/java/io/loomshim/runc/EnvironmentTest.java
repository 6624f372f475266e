package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentTest {
  private static final Map<String, String> HARD = Map.of("PATH", "/a:/b", "EMPTY", "",
      "QUOTES", "it's \"so\" `x` $y \\z", "LINES", "one\ntwo\n\nexport THREE='3'\n", "TAB", "a\tb",
      "EQUALS", "a=b=c", "BANG", "a!b");

  @TempDir Path temp;

  private static void write(Path bundle, String shell, Map<String, String> environment) throws Exception {
    var command = new ArrayList<>(List.of(shell.split(" ")));
    command.addAll(List.of("-c", "export -p"));
    var builder = new ProcessBuilder(command).redirectOutput(bundle.resolve("loom.env").toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    assertEquals(0, builder.start().waitFor());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/bin/sh", "/bin/dash", "/bin/bash", "/bin/bash --posix", "/bin/busybox sh"})
  void whatAShellExportsIsReadAsItWas(String shell) throws Exception {
    assumeTrue(Files.exists(Path.of(shell.split(" ")[0])), shell + " is not here");
    write(temp, shell, HARD);
    Map<String, String> read = Environment.of(temp);
    assertEquals("C.UTF-8", read.get("LC_ALL"));
    for (var variable : HARD.entrySet()) {
      assertEquals(variable.getValue(), read.get(variable.getKey()), variable.getKey());
    }
    assertEquals(null, read.get("THREE"));
  }

  @Test
  void theLanguageIsOurs() throws Exception {
    write(temp, "/bin/sh", Map.of("LC_ALL", "de_DE", "LANGUAGE", "de:en", "LANG", "de_DE.UTF-8"));
    Map<String, String> read = Environment.of(temp);
    assertEquals("C.UTF-8", read.get("LC_ALL"));
    assertEquals("de_DE.UTF-8", read.get("LANG"));
    assertEquals(null, read.get("LANGUAGE"));
  }

  @Test
  void aContainerWithoutAStartHasThatOfItsSandbox() throws Exception {
    Path pod = Files.createDirectory(temp.resolve("pod"));
    Path member = Files.createDirectory(temp.resolve("member"));
    write(pod, "/bin/sh", Map.of("WHOSE", "the pod's"));
    Files.writeString(member.resolve("sandbox"), "pod");
    assertEquals("the pod's", Environment.of(member).get("WHOSE"));
  }

  @Test
  void whatIsNotThereOrCutOffCountsAsThatOfThisProcess() throws Exception {
    assertEquals(System.getenv(), Environment.of(temp));
    for (String text : List.of("", "export A='b", "export A='b'", "export A=\"b\nc", "export A=$'b\\")) {
      Files.writeString(temp.resolve("loom.env"), text);
      assertEquals(System.getenv(), Environment.of(temp), text);
    }
    assertThrows(IllegalArgumentException.class, () -> Environment.parse("export A='b"));
  }

  @Test
  void quotesMayBeOfAnyKind() {
    String text = "export A\ndeclare -x B=\"a\\\"b\\n\"\nexport C=a\\ b'c d'\"e\"\nexport D=$'x\\ty\\'z\\101\\E'\n";
    assertEquals(Map.of("B", "a\"b\\n", "C", "a bc de", "D", "x\ty'zA\033"), Environment.parse(text));
  }
}
