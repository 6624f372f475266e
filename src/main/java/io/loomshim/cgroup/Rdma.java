package io.loomshim.cgroup;

import java.util.ArrayList;
import java.util.List;

/** The lines of rdma.current and rdma.max, the same on v1 and v2 (kernel: cgroup-v1/rdma.rst). Pure. */
final class Rdma {
  /**
   * One device.
   *
   * @param handles an unsigned number of 32 bits, the largest for {@code max}
   * @param objects the same
   */
  record Line(String device, int handles, int objects) {}

  private static final int UNLIMITED = -1;

  private Rdma() {}

  /** Lines {@code DEVICE hca_handle=N hca_object=N}; others are left out. */
  static List<Line> parse(String text) {
    var lines = new ArrayList<Line>();
    for (String line : text.split("\n")) {
      String[] words = line.strip().split(" ");
      if (words.length == 3) {
        lines.add(new Line(words[0], number(words[1]), number(words[2])));
      }
    }
    return lines;
  }

  private static int number(String word) {
    String value = word.substring(word.indexOf('=') + 1);
    return value.equals("max") ? UNLIMITED : (int) StatFiles.number(value);
  }
}
