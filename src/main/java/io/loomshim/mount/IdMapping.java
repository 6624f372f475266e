package io.loomshim.mount;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which owners the files of a mount get: the mount options {@code uidmap=} and {@code gidmap=}, with which a
 * snapshotter hands out the layers of a container that has a user namespace, in the form that
 * {@code /proc/PID/uid_map} takes (user_namespaces(7)).
 *
 * <p>A value; no I/O.
 *
 * @param uids one line for each range: the first id inside, the first one outside, how many
 * @param gids the same
 */
record IdMapping(String uids, String gids) {
  private static final String UIDS = "uidmap=";
  private static final String GIDS = "gidmap=";
  private static final String FORM = "CONTAINER-ID:HOST-ID:SIZE[,...]";
  private static final long IDS_MAX = 0xffff_ffffL; // uid_t has 32 bits, and its last one means none

  /** Whether {@code option} is about mapped ids. */
  static boolean isFor(String option) {
    return option.startsWith(UIDS) || option.startsWith(GIDS);
  }

  /**
   * What {@code options} say; of two mappings of one kind the later one counts.
   *
   * @throws IOException for one that cannot be read, or where ids of one kind only are mapped: files would silently
   *     have the wrong group or user
   */
  static Optional<IdMapping> of(List<String> options) throws IOException {
    String uids = "";
    String gids = "";
    for (String option : options) {
      if (option.startsWith(UIDS)) {
        uids = option;
      } else if (option.startsWith(GIDS)) {
        gids = option;
      }
    }
    if (uids.isEmpty() && gids.isEmpty()) {
      return Optional.empty();
    }
    if (uids.isEmpty() || gids.isEmpty()) {
      throw new IOException("the mount has " + uids + gids + " and no " + (uids.isEmpty() ? UIDS : GIDS)
          + ": both are needed");
    }
    return Optional.of(new IdMapping(lines(uids), lines(gids)));
  }

  /** {@code options} without those about mapped ids. */
  static List<String> without(List<String> options) {
    var others = new ArrayList<String>(options.size());
    for (String option : options) {
      if (!isFor(option)) {
        others.add(option);
      }
    }
    return others;
  }

  private static String lines(String option) throws IOException {
    var lines = new StringBuilder();
    for (String range : option.substring(UIDS.length()).split(",", -1)) {
      String[] numbers = range.split(":", -1);
      if (numbers.length != 3) {
        throw new IOException(option + " is not of the form " + FORM);
      }
      long size = number(option, numbers[2]);
      long inside = number(option, numbers[0]);
      long outside = number(option, numbers[1]);
      if (size == 0) {
        throw new IOException(option + " has a range of size 0");
      }
      if (Math.max(inside, outside) + size > IDS_MAX) {
        throw new IOException(option + " has ids above " + (IDS_MAX - 1));
      }
      lines.append(inside).append(' ').append(outside).append(' ').append(size).append('\n');
    }
    return lines.toString();
  }

  private static long number(String option, String digits) throws IOException {
    boolean all = !digits.isEmpty() && digits.length() <= 10;
    for (int i = 0; i < digits.length(); i++) {
      all &= digits.charAt(i) >= '0' && digits.charAt(i) <= '9';
    }
    if (!all) {
      throw new IOException(option + " is not of the form " + FORM);
    }
    return Long.parseLong(digits);
  }

  /** As the options said it, for messages. */
  @Override
  public String toString() {
    return UIDS + words(uids) + " " + GIDS + words(gids);
  }

  private static String words(String lines) {
    return lines.strip().replace(' ', ':').replace('\n', ',');
  }
}
