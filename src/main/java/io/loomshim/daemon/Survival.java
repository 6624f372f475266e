package io.loomshim.daemon;

/**
 * Whether containers outlive their daemon (the setting {@code take_over}). A value.
 *
 * @param wanted whether another daemon takes over when this one is killed
 * @param inherited the number of the first descriptor that an earlier daemon has left, 0 when there was none
 * @param standBy the number of the descriptor that keeps the holder from doing anything, for a daemon that has been
 *     started beside the earlier one and waits for its end; 0 for any other
 */
public record Survival(boolean wanted, int inherited, int standBy) {
  static final Survival NONE = new Survival(false, 0, 0);

  Survival on() {
    return new Survival(true, inherited, standBy);
  }

  /**
   * The same, after a daemon that was killed.
   *
   * @throws IllegalArgumentException with a text for the user
   */
  Survival inheriting(String number) {
    return new Survival(wanted, number("-inherit", number), standBy);
  }

  /**
   * The same, beside a daemon that is about to end.
   *
   * @throws IllegalArgumentException with a text for the user
   */
  Survival standingBy(String number) {
    return new Survival(wanted, inherited, number("-stand-by", number));
  }

  private static int number(String option, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(option + " is not a number of a descriptor: " + text, e);
    }
  }

  /** Whether this daemon takes over from another one. */
  boolean takesOver() {
    return inherited > 0;
  }

  /** Whether that one is asked to end, and ends when this one is ready. */
  boolean standsBy() {
    return standBy > 0;
  }
}
