package io.loomshim.errors;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import org.junit.jupiter.api.Test;

class ScarcityTest {
  private static final class Known extends IOException implements Scarce {
    private static final long serialVersionUID = 1;

    private final boolean scarce;

    private Known(String text, boolean scarce) {
      super(text);
      this.scarce = scarce;
    }

    @Override
    public boolean scarce() {
      return scarce;
    }
  }

  @Test
  void anExceptionThatKnowsIsBelievedWhateverItsText() {
    assertTrue(Scarcity.of(new Known("x", true)));
    assertFalse(Scarcity.of(new Known("Too many open files", false)));
  }

  @Test
  void theJdkIsReadAtTheEndOfItsText() {
    assertTrue(Scarcity.of(new FileSystemException("/x", null, "Too many open files")));
    assertFalse(Scarcity.of(new FileSystemException("Too many open files", null, "Is a directory")));
    assertFalse(Scarcity.of(new IOException("failed", new IOException("No space left on device"))));
    assertFalse(Scarcity.of(new IllegalStateException("No space left on device")));
    assertFalse(Scarcity.of(new IOException()));
  }

  @Test
  void anExhaustedHeapIsScarcity() {
    assertTrue(Scarcity.of(new OutOfMemoryError()));
  }
}
