package io.loomshim.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.ttrpc.Code;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ErrnoCodesTest {
  private final ErrnoCodes codes = new ErrnoCodes();

  @Test
  void errorNumbersHaveTheCodesOfContainerd() {
    // numbers of asm-generic/errno-base.h: EPERM ENOENT EIO EACCES EBUSY EEXIST, and ENOTEMPTY
    Map<Integer, Code> expected =
        Map.of(
            1, Code.PERMISSION_DENIED, 2, Code.NOT_FOUND, 5, Code.UNKNOWN, 13, Code.PERMISSION_DENIED, 16, Code.UNKNOWN,
            17, Code.ALREADY_EXISTS, 39, Code.ALREADY_EXISTS);
    expected.forEach((errno, code) -> assertEquals(code, codes.map(new ErrnoException(errno)).get().code()));
  }

  @Test
  void whatHasRunOutHasACodeOfItsOwn() {
    // EAGAIN (no more processes) ENOMEM ENFILE EMFILE ENOSPC EDQUOT
    for (int errno : new int[] {11, 12, 23, 24, 28, 122}) {
      assertEquals(Code.RESOURCE_EXHAUSTED, codes.map(new ErrnoException(errno)).get().code());
    }
    for (String text : new String[] {"/x: Too many open files", "No space left on device"}) {
      assertEquals(Code.RESOURCE_EXHAUSTED, codes.map(new IOException(text)).get().code());
    }
  }

  @Test
  void theTextAndTheCauseStay() {
    var e = assertThrows(ErrnoException.class, () -> Fd.open("/nowhere/x", Fd.O_RDONLY, 0));
    var mapped = codes.map(e).get();
    assertEquals("open /nowhere/x: no such file or directory", mapped.getMessage());
    assertEquals(Code.NOT_FOUND, mapped.code());
    assertSame(e, mapped.getCause());
  }

  @Test
  void otherErrorsAreSomebodyElsesToMap() {
    assertTrue(codes.map(new IOException("x")).isEmpty());
    assertTrue(codes.map(new IllegalStateException("x")).isEmpty());
  }
}
