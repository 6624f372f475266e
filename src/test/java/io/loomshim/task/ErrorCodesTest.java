package io.loomshim.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ErrorCodesTest {
  private final ErrorCodes codes = new ErrorCodes();

  @Test
  void errorNumbersHaveTheCodesOfContainerd() {
    // numbers of asm-generic/errno-base.h: EPERM ENOENT EIO EACCES EBUSY EEXIST, and ENOTEMPTY
    Map<Integer, Code> expected =
        Map.of(
            1, Code.PERMISSION_DENIED, 2, Code.NOT_FOUND, 5, Code.UNKNOWN, 13, Code.PERMISSION_DENIED, 16, Code.UNKNOWN,
            17, Code.ALREADY_EXISTS, 39, Code.ALREADY_EXISTS);
    expected.forEach((errno, code) -> assertEquals(code, codes.map(new ErrnoException(errno)).code()));
  }

  @Test
  void whatHasRunOutHasACodeOfItsOwn() {
    // EAGAIN (no more processes) ENOMEM ENFILE EMFILE ENOSPC EDQUOT
    for (int errno : new int[] {11, 12, 23, 24, 28, 122}) {
      assertEquals(Code.RESOURCE_EXHAUSTED, codes.map(new ErrnoException(errno)).code());
    }
    for (String text : new String[] {"/x: Too many open files", "No space left on device"}) {
      assertEquals(Code.RESOURCE_EXHAUSTED, codes.map(new IOException(text)).code());
    }
  }

  @Test
  void theTextAndTheCauseStay() {
    var e = assertThrows(ErrnoException.class, () -> Fd.open("/nowhere/x", Fd.O_RDONLY, 0));
    var mapped = codes.map(e);
    assertEquals("open /nowhere/x: no such file or directory", mapped.getMessage());
    assertEquals(Code.NOT_FOUND, mapped.code());
    assertSame(e, mapped.getCause());
  }

  private String map(Throwable error) {
    StatusException status = codes.map(error);
    return status.code() + " " + status.getMessage();
  }

  @Test
  void exceptionsOfTheJdkHaveTheCodesOfTheTable() {
    assertEquals("OUT_OF_RANGE EOF", map(new EOFException()));
    assertEquals("NOT_FOUND /x: no such file or directory", map(new NoSuchFileException("/x")));
    assertEquals("PERMISSION_DENIED /x: permission denied", map(new AccessDeniedException("/x")));
    assertEquals("ALREADY_EXISTS /x: file exists", map(new FileAlreadyExistsException("/x")));
    assertEquals("ALREADY_EXISTS /x: directory not empty", map(new DirectoryNotEmptyException("/x")));
    assertEquals("INVALID_ARGUMENT no: /x: invalid argument", map(new InvalidPathException("/x", "no")));
  }

  @Test
  void otherErrorsAreUnknown() {
    assertEquals("UNKNOWN no luck", map(new IOException("no luck")));
    assertEquals("UNKNOWN java.io.IOException", map(new IOException()));
  }

  @Test
  void aWrappedExceptionIsNotLookedInto() {
    assertEquals("UNKNOWN open failed", map(new IOException("open failed", new NoSuchFileException("/x"))));
    assertEquals("UNKNOWN open failed", map(new IOException("open failed", new ErrnoException(24))));
  }
}
