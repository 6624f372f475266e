package io.loomshim.stdio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;
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
    assertEquals(new Target.Path("relative:x"), Target.parse("relative:x"));
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
  void aLoggerKeepsItsWholeUri() {
    var logger = assertInstanceOf(Target.Logger.class, Target.parse("binary:///usr/bin/log?tag=a%20b"));
    assertEquals("binary:///usr/bin/log?tag=a%20b", logger.uri().toString());
  }

  @Test
  void anUnknownSchemeIsNamed() {
    var e = assertThrows(StatusException.class, () -> Target.parse("http://host/x"));
    assertEquals("unknown STDIO scheme http", e.getMessage());
    assertEquals(Code.INVALID_ARGUMENT, e.code());
  }

  @Test
  void whatIsNoUriIsRefused() {
    for (String text : new String[] {"file:///a b", "fifo:///%zz", "://x", "1a://x"}) {
      var e = assertThrows(StatusException.class, () -> Target.parse(text), text);
      assertTrue(e.getMessage().startsWith("unable to parse stdout uri: "), e.getMessage());
      assertEquals(Code.INVALID_ARGUMENT, e.code());
    }
  }
}
