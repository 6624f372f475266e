package io.loomshim.linux;

/** Where bytes are between two descriptors. Used by one thread. */
public interface Passage extends AutoCloseable {
  /**
   * Takes bytes from {@code from} without waiting.
   *
   * @return the number of bytes, 0 at the end, −1 when there is nothing now (EAGAIN)
   * @throws ErrnoException as read(2); what was filled before stays
   */
  int fill(Fd from) throws ErrnoException;

  /**
   * Writes of what was filled as much as there is room for, without waiting but for a file.
   *
   * @return the number of bytes, −1 when there is no room now (EAGAIN)
   * @throws ErrnoException as write(2); what was not written stays
   */
  int drain(Fd to) throws ErrnoException;

  /** Whether everything that was filled has been drained. */
  boolean empty();

  /** Gives memory back until the next {@link #fill}. Call only when {@link #empty}. */
  void release();

  /** Gives up what is in it; it can be filled again. */
  @Override
  void close();
}
