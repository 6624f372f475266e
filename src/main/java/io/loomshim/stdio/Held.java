package io.loomshim.stdio;

import io.loomshim.linux.Fd;

/**
 * A descriptor that the streams of a process hold, for another daemon to go on with.
 *
 * @param role what it is for, a word; the same words make {@link Streams#resume} go on with it
 */
public record Held(String role, Fd fd) {
  static final String FROM = ".from";
  static final String TO = ".to";

  /** What is run at a change when there is no one to tell. */
  static void none() {
    // nothing
  }
}
