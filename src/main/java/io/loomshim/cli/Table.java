package io.loomshim.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * Rows in aligned columns that fit a page. A column whose title ends with {@code >} is aligned to the right, the
 * others to the left. When the page is too narrow, the widest column that is aligned to the left is cut in its middle.
 * Used by one thread.
 */
final class Table {
  /** Characters of a line, which fit a terminal beside another window. */
  static final int PAGE_COLUMNS = 100;
  private static final int CUT_MIN = 8;
  private static final String GAP = "  ";

  private final List<String> titles = new ArrayList<>();
  private final List<Boolean> right = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... titles) {
    for (String title : titles) {
      boolean toTheRight = title.endsWith(">");
      right.add(toTheRight);
      this.titles.add(toTheRight ? title.substring(0, title.length() - 1) : title);
    }
  }

  void row(Object... cells) {
    var row = new ArrayList<String>();
    for (Object cell : cells) {
      row.add(plain(String.valueOf(cell)));
    }
    rows.add(row);
  }

  boolean isEmpty() {
    return rows.isEmpty();
  }

  /** The lines, titles first. */
  void appendTo(StringBuilder page) {
    int[] widths = widths();
    append(page, titles, widths);
    for (List<String> row : rows) {
      append(page, row, widths);
    }
  }

  private int[] widths() {
    var widths = new int[titles.size()];
    int total = GAP.length() * (widths.length - 1);
    for (int i = 0; i < widths.length; i++) {
      widths[i] = titles.get(i).length();
      for (List<String> row : rows) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
      total += widths[i];
    }
    for (; total > PAGE_COLUMNS; total--) {
      int widest = -1;
      for (int i = 0; i < widths.length; i++) {
        if (!right.get(i) && widths[i] > CUT_MIN && (widest < 0 || widths[i] > widths[widest])) {
          widest = i;
        }
      }
      if (widest < 0) {
        break;
      }
      widths[widest]--;
    }
    return widths;
  }

  private void append(StringBuilder page, List<String> cells, int[] widths) {
    var line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String cell = cut(cells.get(i), widths[i]);
      String blanks = " ".repeat(widths[i] - cell.length());
      line.append(i == 0 ? "" : GAP).append(right.get(i) ? blanks + cell : cell + blanks);
    }
    page.append(line.toString().stripTrailing()).append('\n');
  }

  /** The beginning and the end of {@code text}, {@code width} characters at most. */
  static String cut(String text, int width) {
    if (text.length() <= width) {
      return text;
    }
    int end = (width - 1) / 2;
    return text.substring(0, width - 1 - end) + "…" + text.substring(text.length() - end);
  }

  /** Replaces control characters, so that no text can control the reader's terminal. */
  static String plain(String text) {
    var plain = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      plain.append(Character.isISOControl(text.charAt(i)) ? '?' : text.charAt(i));
    }
    return plain.toString();
  }
}
