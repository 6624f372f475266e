package io.loomshim.record;

/**
 * Takes changes of the state. This is all that the rooms know whose state is written down; any thread may call it, with
 * locks of its own held, because it waits for nothing but other writers.
 */
public interface Journal {
  /** Keeps nothing. */
  Journal NONE = new Journal() {
    @Override
    public void write(Change... changes) {
      // there is no record
    }

    @Override
    public boolean keeps() {
      return false;
    }
  };

  /**
   * Writes {@code changes} as one entry: a later reader sees all of them or none. It never fails: a record that cannot
   * be written is given up, and the work that it is about goes on.
   */
  void write(Change... changes);

  /** An entry could not be made: what follows would not be true, so nothing is kept any more. */
  default void giveUp(Throwable why) {}

  /** Whether anything is kept: else the changes need not be made. Always the same. */
  default boolean keeps() {
    return true;
  }
}
