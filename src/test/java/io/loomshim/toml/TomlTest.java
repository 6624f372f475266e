package io.loomshim.toml;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TomlTest {
  @Test
  void aFlatTableIsRead() throws Exception {
    String text = """
        # options of a runtime
        BinaryName = "/usr/bin/crun"  # not runc
        SystemdCgroup=true\r
          'quoted key' = 'C:\\literal'
        "esc" = "tab\\t quote\\" é \\u00e9 \\U0001F600"
        IoUid = 1_000
        hex = 0xff
        negative = -7

        """;
    assertEquals(
        Map.of(
            "BinaryName", "/usr/bin/crun",
            "SystemdCgroup", true,
            "quoted key", "C:\\literal",
            "esc", "tab\t quote\" é é 😀",
            "IoUid", 1000L,
            "hex", 255L,
            "negative", -7L),
        Toml.read(text));
  }

  @Test
  void anEmptyTextHasNoValues() throws Exception {
    assertTrue(Toml.read("").isEmpty());
    assertTrue(Toml.read("\n  \t# nothing\n").isEmpty());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[table]", "a", "a =", "= 1", "a = 1 2", "a = \"open", "a = 'open", "a = [1]", "a = {b=1}", "a = 1.5",
        "a = 007", "a = 1__0", "a = _1", "a = yes", "a = \"\\x\"", "a = \"\\ud800\"", "a = \"\\u12\"",
        "a = \"\"\"x\"\"\"",
        "a.b = 1", "a = +-5", "a = ++5", "a = 0x-5", "a = -0x5", "a = -07", "a = -", "a = 0x",
        "a = 1979-05-27", "a = 99999999999999999999", "a = \"\u0001\"", "a = 1\na = 2"
      })
  void whatIsNoneIsRefusedWithItsLine(String text) {
    var e = assertThrows(TomlException.class, () -> Toml.read("# first\n" + text));
    assertTrue(e.getMessage().startsWith("line "), e.getMessage());
  }

  @Test
  void aTextThatIsTooLongIsRefused() {
    assertThrows(TomlException.class, () -> Toml.read("#".repeat(Toml.LENGTH_MAX + 1)));
  }
}
