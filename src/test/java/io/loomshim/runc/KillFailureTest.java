package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.loomshim.errors.Code;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KillFailureTest {
  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "runc: os: process already finished | NOT_FOUND | process already finished: not found",
      "runc did not terminate successfully: container not running | NOT_FOUND | process already finished: not found",
      "kill container: No such process | NOT_FOUND | process already finished: not found",
      "container \"x\" does not exist | NOT_FOUND | no such container: not found",
      "no such process, container does not exist | NOT_FOUND | process already finished: not found",
      "permission denied | UNKNOWN | unknown error after kill: permission denied",
      "Container Not Running | UNKNOWN | unknown error after kill: Container Not Running",
  })
  void theTextDecides(String text, Code code, String message) {
    var status = KillFailure.of(new IOException(text));
    assertEquals(code, status.code());
    assertEquals(message, status.getMessage());
  }

  @Test
  void theErrorNumberDecidesToo() {
    var gone = new ErrnoException("kill", Errno.ESRCH);
    var status = KillFailure.of(gone);
    assertEquals(Code.NOT_FOUND, status.code());
    assertSame(gone, status.getCause());
    assertEquals(Code.NOT_FOUND, KillFailure.of("", gone, "some text", Errno.ESRCH).code());
  }

  @Test
  void anExecsFailureSaysSo() {
    var status = KillFailure.ofExec(new ErrnoException("kill", Errno.EPERM));
    assertEquals(Code.UNKNOWN, status.code());
    assertEquals("exec kill error: unknown error after kill: operation not permitted", status.getMessage());
    assertEquals("exec kill error: process already finished: not found",
        KillFailure.ofExec(new ErrnoException("kill", Errno.ESRCH)).getMessage());
  }
}
