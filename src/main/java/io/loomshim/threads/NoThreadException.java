package io.loomshim.threads;

/** All threads that may serve calls are busy; the message says how many there are, and for how long. */
public final class NoThreadException extends Exception {
  private static final long serialVersionUID = 1;

  NoThreadException(String message) {
    super(message);
  }
}
