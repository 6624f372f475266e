package io.loomshim.ttrpc;

import java.io.IOException;

/** Where a server accepts connections. One thread accepts; any thread may close it, which wakes that one. */
public interface Door extends AutoCloseable {
  /** Waits for a connection; fails once the door has been closed, or when there are no descriptors. */
  Line accept() throws IOException;

  /** Whether it has not been closed. */
  boolean isOpen();

  @Override
  void close() throws IOException;
}
