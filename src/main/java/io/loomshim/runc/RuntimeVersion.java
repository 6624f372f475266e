package io.loomshim.runc;

/**
 * Which runtime a program is, by what it prints for {@code --version}. Pure.
 *
 * @param name {@code runc}, {@code crun}, or empty for one that is not known
 * @param major of its version
 * @param minor of its version
 */
public record RuntimeVersion(String name, int major, int minor) {
  static final RuntimeVersion UNKNOWN = new RuntimeVersion("", 0, 0);

  private static final String[] KNOWN = {"runc", "crun"};

  /** Wrappers print the version of what they run after their own. */
  static RuntimeVersion parse(String text) {
    for (String name : KNOWN) {
      String head = name + " version ";
      int at = text.indexOf(head);
      if (at == 0 || at > 0 && Character.isWhitespace(text.charAt(at - 1))) {
        return numbered(name, text.substring(at + head.length()));
      }
    }
    return UNKNOWN;
  }

  private static RuntimeVersion numbered(String name, String text) {
    int dot = digits(text, 0);
    if (dot == 0 || dot >= text.length() || text.charAt(dot) != '.') {
      return UNKNOWN;
    }
    int end = digits(text, dot + 1);
    if (end == dot + 1) {
      return UNKNOWN;
    }
    return new RuntimeVersion(name, number(text, 0, dot), number(text, dot + 1, end));
  }

  private static int digits(String text, int from) {
    int at = from;
    while (at < text.length() && Character.isDigit(text.charAt(at))) {
      at++;
    }
    return at;
  }

  private static int number(String text, int from, int to) {
    return to - from > 6 ? Integer.MAX_VALUE : Integer.parseInt(text.substring(from, to));
  }

  private boolean before(int otherMajor, int otherMinor) {
    return major < otherMajor || major == otherMajor && minor < otherMinor;
  }

  /**
   * Whether {@code create} moves the init by a write to {@code cgroup.procs} on cgroup v2. crun clones it into its
   * cgroup since 1.7 (containers/crun#1042).
   */
  public boolean createMovesOnV2() {
    return name.equals("runc") || name.equals("crun") && before(1, 7);
  }

  /**
   * The same for {@code exec}: crun clones into the cgroup since 1.4 (containers/crun#801), runc since 1.4
   * (opencontainers/runc#4920).
   */
  public boolean execMovesOnV2() {
    return !name.isEmpty() && before(1, 4);
  }
}
