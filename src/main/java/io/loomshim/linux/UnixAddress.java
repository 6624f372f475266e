package io.loomshim.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A path as the address of a Unix socket, struct sockaddr_un of unix(7). Immutable. */
final class UnixAddress {
  /** Bytes in the path of a socket: 108 of sockaddr_un without the zero at the end. */
  static final int PATH_BYTES_MAX = 107;

  static final short AF_UNIX = 1;
  private static final int PATH_OFFSET = 2; // behind the family, an u16

  private final byte[] path;

  UnixAddress(Path path) {
    this.path = path.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Whether the path has more than {@link #PATH_BYTES_MAX} bytes: the kernel refuses such a one. */
  boolean tooLong() {
    return path.length > PATH_BYTES_MAX;
  }

  /** Its size in bytes, with the zero at the end. */
  int length() {
    return PATH_OFFSET + path.length + 1;
  }

  /** Writes it into {@code arena}, which has {@link #length} bytes for it; returns where it is. */
  long in(Arena arena) {
    long address = arena.bytes(length());
    Native.MEMORY.putShort(address, AF_UNIX);
    Native.MEMORY.putByteArray(address + PATH_OFFSET, path, 0, path.length);
    return address;
  }
}
