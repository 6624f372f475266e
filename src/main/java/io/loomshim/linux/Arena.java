package io.loomshim.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;

/**
 * Native memory for the arguments of one call, zeroed, freed as a whole by {@link #close}. Used by
 * one thread.
 */
final class Arena implements AutoCloseable {
  private static final int ALIGNMENT = 16;

  private final long base;
  private final long size;
  private long used;

  /** Reserves {@code size} bytes. */
  Arena(long size) {
    this.size = (size + 2L * ALIGNMENT) & -ALIGNMENT;
    base = Native.MEMORY.allocateMemory(this.size, true);
    if (base == 0) {
      throw new OutOfMemoryError("no native memory for " + size + " bytes");
    }
  }

  /** Reserves the bytes of one path and a little more. */
  static Arena forStrings(String... texts) {
    long size = 0;
    for (String text : texts) {
      size += stringSize(text);
    }
    return new Arena(size);
  }

  /** An upper bound of the bytes that {@link #string} takes for {@code text}. */
  static long stringSize(String text) {
    return 3L * text.length() + 1 + ALIGNMENT;
  }

  long bytes(long count) {
    long address = base + used;
    used += (count + ALIGNMENT - 1) & -ALIGNMENT;
    assert used <= size : "arena of " + size + " bytes is too small";
    return address;
  }

  /**
   * A NUL-terminated UTF-8 copy of {@code text}.
   *
   * @throws InvalidPathException if there is a NUL in it: the kernel would take another path than was meant
   */
  long string(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new InvalidPathException(text, "Nul character not allowed");
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    long address = bytes(bytes.length + 1L);
    Native.MEMORY.putByteArray(address, bytes, 0, bytes.length);
    return address;
  }

  @Override
  public void close() {
    Native.MEMORY.freeMemory(base);
  }
}
