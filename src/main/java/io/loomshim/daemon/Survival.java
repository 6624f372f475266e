package io.loomshim.daemon;

/**
 * Whether containers outlive their daemon (the setting {@code take_over}). A value.
 *
 * @param wanted whether another daemon takes over when this one is killed
 * @param inherited the number of the first descriptor that an earlier daemon has left, 0 when there was none
 */
public record Survival(boolean wanted, int inherited) {
  static final Survival NONE = new Survival(false, 0);

  Survival on() {
    return new Survival(true, inherited);
  }

  /**
   * The same, after a daemon that was killed.
   *
   * @throws IllegalArgumentException with a text for the user
   */
  Survival inheriting(String number) {
    try {
      return new Survival(wanted, Integer.parseInt(number));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("-inherit is not a number of a descriptor: " + number, e);
    }
  }

  /** Whether this daemon takes over from one that was killed. */
  boolean takesOver() {
    return inherited > 0;
  }
}
