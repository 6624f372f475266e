package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Results and error numbers of native calls, and what a glibc without a function is told. */
final class NativeTest {
  @Test
  void aFunctionThatIsMissingIsRefusedByName() {
    var e = assertThrows(UnsupportedOperationException.class, () -> Native.function("no_such_function"));
    assertEquals("glibc 2.34 or newer is needed: no no_such_function here", e.getMessage());
  }

  @Test
  void aFailureIsTheNegativeErrorNumber() {
    assertEquals(-Errno.EBADF, Native.callInt(Native.function("close"), -1));
    assertEquals(-Errno.ESRCH, ProcessCalls.kill(Integer.MAX_VALUE, 0));
    assertEquals(-Errno.ECHILD, ProcessCalls.reap(1, new int[1]));
    assertEquals("no such file or directory", new ErrnoException(Errno.ENOENT).getMessage());
  }

  @Test
  void aPipeTellsWhatItHoldsAndGivesItToAnother() throws Exception {
    try (Pipe from = Pipe.open(); Pipe to = Pipe.open()) {
      assertFalse(from.reader().ready());
      assertEquals(-Errno.EAGAIN, from.reader().splice(to.writer(), 100));
      from.writer().tryWrite(new byte[] {1, 2, 3}, 0, 3);
      assertTrue(from.reader().ready());
      assertEquals(3, from.reader().held());
      assertEquals(2, from.reader().splice(to.writer(), 2));
      assertEquals(1, from.reader().held());
      assertEquals(2, to.reader().held());
      from.writer().close();
      assertEquals(1, from.reader().splice(to.writer(), 100));
      assertEquals(0, from.reader().splice(to.writer(), 100));
    }
  }

  @Test
  void theLimitOfOpenFilesIsReadAndSet() throws Exception {
    long[] limit = ProcessCalls.openFilesLimit();
    assertTrue(limit[0] > 0 && Long.compareUnsigned(limit[0], limit[1]) <= 0);
    ProcessCalls.limitOpenFiles(limit[0], limit[1]);
    assertEquals(limit[1], ProcessCalls.openFilesLimit()[1]);
  }
}
