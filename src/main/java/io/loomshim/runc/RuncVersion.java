package io.loomshim.runc;

import java.util.Optional;

/**
 * The version in the first line of {@code runc --version}, {@code runc version 1.1.5+ds1} for example. Pure.
 *
 * @param candidate the number of a release candidate of 1.0.0, 0 for any other version
 * @param development whether it is a build between two releases, which may do anything
 */
record RuncVersion(int major, int minor, int patch, int candidate, boolean development) {
  private static final String FIRST_WORDS = "runc version ";

  /** 1.0.0-rc93 is the oldest one whose source has been read and which the tests run. */
  private static final int CANDIDATE_MIN = 93;
  private static final int MAJOR = 1;

  /** The version after it, in November 2026 not released, runs poststart hooks in {@code start}. */
  private static final int MINOR_MAX = 5;

  /** What {@code output} says; empty for any other program, and for a wrapper that tells its own version first. */
  static Optional<RuncVersion> parse(String output) {
    if (!output.startsWith(FIRST_WORDS)) {
      return Optional.empty();
    }
    int end = output.indexOf('\n');
    String word = output.substring(FIRST_WORDS.length(), end < 0 ? output.length() : end).strip();
    var numbers = new int[3];
    int at = 0;
    for (int i = 0; i < numbers.length; i++) {
      int from = i == 0 ? at : at + 1;
      at = digitsEnd(word, from);
      boolean parted = i == 0 || word.charAt(from - 1) == '.';
      if (at == from || at - from > 4 || !parted || i < 2 && at == word.length()) {
        return Optional.empty();
      }
      numbers[i] = Integer.parseInt(word.substring(from, at));
    }
    String rest = word.substring(at);
    return Optional.of(
        new RuncVersion(numbers[0], numbers[1], numbers[2], candidate(rest), rest.contains("dev")));
  }

  /** {@code -rc93}, as Debian writes it {@code ~rc93}; from 1.1 on {@code -rc.1}. */
  private static int candidate(String rest) {
    if (!rest.startsWith("-rc") && !rest.startsWith("~rc")) {
      return 0;
    }
    int from = rest.startsWith(".", 3) ? 4 : 3;
    int end = digitsEnd(rest, from);
    return end > from && end - from <= 4 ? Integer.parseInt(rest.substring(from, end)) : 0;
  }

  private static int digitsEnd(String text, int from) {
    int at = from;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    return at;
  }

  /** Whether {@link NativeRunc} does the same as this version. */
  boolean supported() {
    boolean first = minor == 0 && patch == 0 && candidate > 0;
    return major == MAJOR && minor <= MINOR_MAX && !development && (!first || candidate >= CANDIDATE_MIN);
  }
}
