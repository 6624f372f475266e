package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class MemoryFileTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void whatTwoCopiesOfTheDescriptorWriteStandsInTheOrderOfWriting() throws Exception {
    try (MemoryFile file = MemoryFile.empty(100); Fd copy = file.fd().duplicate()) {
      assertEquals("", text(file.written(10)));
      file.fd().tryWrite(bytes("one "), 0, 4);
      copy.tryWrite(bytes("two"), 0, 3);
      assertEquals("one two", text(file.written(100)));
      assertEquals("one", text(file.written(3)));
    }
  }

  @Test
  void nothingIsTakenBeyondTheLimitAndItsEndIsNoContent() throws Exception {
    try (MemoryFile file = MemoryFile.empty(4)) {
      assertEquals(3, file.fd().tryWrite(bytes("abc"), 0, 3));
      var e = assertThrows(ErrnoException.class, () -> file.fd().tryWrite(bytes("de"), 0, 2));
      assertEquals(Errno.EPERM, e.errno());
      assertEquals(1, file.fd().tryWrite(bytes("d"), 0, 1));
      assertEquals("abcd", text(file.written(100)));
    }
  }

  @Test
  void aGivenContentIsReadFromItsBeginningToItsEnd() throws Exception {
    String large = "x".repeat(3 << 20);
    try (MemoryFile file = MemoryFile.of(bytes(large))) {
      byte[] buffer = new byte[4 << 20];
      assertEquals(large.length(), file.fd().tryRead(buffer));
      assertEquals(0, file.fd().tryRead(buffer));
    }
    try (MemoryFile file = MemoryFile.of(new byte[0])) {
      assertEquals(0, file.fd().tryRead(new byte[10]));
    }
  }
}
