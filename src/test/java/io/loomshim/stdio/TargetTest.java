package io.loomshim.stdio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import java.util.List;
import org.junit.jupiter.api.Test;

class TargetTest {
  @Test
  void anEmptyTextIsNowhere() {
    assertEquals(new Target.None(), Target.parse(""));
  }

  @Test
  void aPlainPathIsTakenLetterByLetter() {
    assertEquals(new Target.Path("/run/fifo/web-1-stdout"), Target.parse("/run/fifo/web-1-stdout"));
    assertEquals(new Target.Path("/a%20b c?d#e"), Target.parse("/a%20b c?d#e"));
    assertEquals(new Target.Path("/a%zz"), Target.parse("/a%zz"));
    assertEquals(new Target.Path("/dir/fifo://x"), Target.parse("/dir/fifo://x"));
    assertEquals(new Target.Path("relative/x"), Target.parse("relative/x"));
    assertEquals(new Target.Path("1a://x"), Target.parse("1a://x"));
  }

  @Test
  void aUriOfAFifoOrFileIsItsDecodedPath() {
    assertEquals(new Target.Path("/run/a b"), Target.parse("fifo:///run/a%20b"));
    assertEquals(new Target.NewFile("/var/log/a b"), Target.parse("file:///var/log/a%20b"));
  }

  @Test
  void theSchemeMayBeInCapitals() {
    assertEquals(new Target.NewFile("/x"), Target.parse("FILE:///x"));
    assertEquals(new Target.Path("/x"), Target.parse("Fifo:///x"));
  }

  @Test
  void aUriMayDoWithoutAHostAndCharactersThatShouldBeEscapedCountForThemselves() {
    assertEquals(new Target.NewFile("/x"), Target.parse("file:/x"));
    assertEquals(new Target.NewFile("/x/y"), Target.parse("file://host/x/y"));
    assertEquals(new Target.NewFile("/a b|c{d}^\u00e9"), Target.parse("file:///a b|c{d}^\u00e9"));
    assertEquals(new Target.NewFile("/a+b"), Target.parse("file:///a+b"));
    assertEquals(new Target.NewFile("/a://b"), Target.parse("file:///a://b"));
    assertEquals(new Target.NewFile("/a?b#c%"), Target.parse("file:///a%3fb%23c%25?query#fragment"));
  }

  @Test
  void aLoggerIsAProgramAndItsQueryTheArguments() {
    assertEquals(new Target.Logger("/usr/bin/log", List.of()), Target.parse("binary:///usr/bin/log"));
    assertEquals(new Target.Logger("/usr/bin/log", List.of()), Target.parse("binary:///usr/bin/log?"));
    assertEquals(new Target.Logger("/my log", List.of("tag", "a b")), Target.parse("binary:///my%20log?tag=a%20b"));
    assertEquals(new Target.Logger("/l", List.of("a", "1", "b", "", "c", "", "d", "x=y")),
        Target.parse("binary:///l?a=1&b&a=2&c=&&d=x=y#fragment"));
    assertEquals(new Target.Logger("/l", List.of("a b", "c d+&")), Target.parse("binary:///l?a+b=c+d%2B%26"));
  }

  @Test
  void argumentsWithABrokenEscapeAreLeftOut() {
    assertEquals(new Target.Logger("/l", List.of("good", "1")),
        Target.parse("binary:///l?bad=%zz&good=1&%=x&semi;colon=2&nul=%00&cut=%4&bytes=%ff"));
  }

  @Test
  void anUnknownSchemeIsNamed() {
    var e = assertThrows(StatusException.class, () -> Target.parse("http://host/x"));
    assertEquals("unknown STDIO scheme http", e.getMessage());
    assertEquals(Code.INVALID_ARGUMENT, e.code());
    assertThrows(StatusException.class, () -> Target.parse("word:/x"));
  }

  @Test
  void whatIsNoUriIsRefused() {
    for (String text : List.of("fifo:///%zz", "file:///%", "file:///%4", "file:///%00",
        "file:///%ff", "file:///a\nb", "://x", "binary:", "binary://", "binary://host", "binary:relative")) {
      var e = assertThrows(StatusException.class, () -> Target.parse(text), text);
      assertTrue(e.getMessage().startsWith("unable to parse stdout uri: "), e.getMessage());
      assertEquals(Code.INVALID_ARGUMENT, e.code());
    }
  }
}
