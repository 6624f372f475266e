package io.loomshim.bench.chart;

import io.loomshim.bench.figure.Side;
import java.util.List;

/** Panels of lines, two in a row, under one key. */
public final class LineChart {
  private static final int COLUMNS = 2;
  private static final int GAP = 40;

  private LineChart() {}

  /** The key has those of {@code sides} that have a line. */
  public static String draw(String title, String subtitle, List<Side> sides, List<LinePanel> panels) {
    var svg = new Svg(title, subtitle);
    svg.key(Svg.PAD, Svg.TOP + 8, sides.stream().filter(side -> drawn(side, panels)).toList());
    double width = (Svg.WIDTH - 2 * Svg.PAD - (COLUMNS - 1) * GAP) / (double) COLUMNS;
    double y = Svg.TOP + 34;
    for (int i = 0; i < panels.size(); i++) {
      panels.get(i).draw(svg, Svg.PAD + i % COLUMNS * (width + GAP), y, width);
      if (i % COLUMNS == COLUMNS - 1 || i == panels.size() - 1) {
        y += LinePanel.HEIGHT_ALL + 10;
      }
    }
    return svg.end(y - 8);
  }

  private static boolean drawn(Side side, List<LinePanel> panels) {
    return panels.stream().anyMatch(panel -> panel.lines().containsKey(side) || panel.ends().containsKey(side));
  }
}
