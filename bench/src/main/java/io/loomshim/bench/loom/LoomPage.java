package io.loomshim.bench.loom;

import io.loomshim.bench.chart.LinePanel;
import io.loomshim.bench.chart.Svg;
import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Skipped;
import io.loomshim.bench.report.Machine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The comparison as one page that needs nothing else: style and drawings stand in it, and no scripts. */
final class LoomPage {
  private static final int PANEL_WIDTH = 400;
  private static final int PANEL_HEIGHT = LinePanel.HEIGHT_ALL + 12;

  private final Samples samples;
  private final List<Skipped> skipped;
  private final List<Failure> failures;
  private final Map<String, String> env;

  LoomPage(Samples samples, List<Skipped> skipped, List<Failure> failures, Map<String, String> env) {
    this.samples = samples;
    this.skipped = skipped;
    this.failures = failures;
    this.env = env;
  }

  /** The whole file. */
  String html() {
    var tables = new LoomTables(samples);
    var text = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        + "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
        + "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Threads of a container shim</title>\n<style>\n")
        .append(LoomStyle.sheet()).append("</style>\n</head>\n<body>\n<main>\n<h1>Virtual threads, platform threads "
        + "and an event loop in one container shim</h1>\n").append(machine()).append(LoomMethod.INTRODUCTION);
    text.append("<h2>At the largest numbers</h2>\n").append(LoomMethod.INTERVALS).append(table(tables.headlines()));
    text.append("<h2>Where virtual threads lose</h2>\n").append(LoomMethod.LOSSES).append(table(tables.losses()));
    if (!failures.isEmpty()) {
      text.append("<h2>What was refused or starved</h2>\n").append(table(LoomTables.failures(failures)));
    }
    for (Axis axis : LoomFigures.BY_AXIS.keySet()) {
      text.append(panels(axis));
    }
    text.append(LoomMethod.METHOD).append("<h2>All figures</h2>\n");
    for (Axis axis : LoomFigures.BY_AXIS.keySet()) {
      if (measured(axis)) {
        text.append("<h3>").append(axis.title()).append("</h3>\n").append(table(tables.all(axis)));
      }
    }
    return text.append(leftOut()).append(data()).append("</main>\n</body>\n</html>\n").toString();
  }

  private boolean measured(Axis axis) {
    return LoomFigures.BY_AXIS.get(axis).stream().anyMatch(figure -> !samples.counts(figure).isEmpty());
  }

  /** Whether any of our sides was measured on this release. */
  private boolean measured(int jdk) {
    return Variants.OURS.stream().anyMatch(side -> side.name().endsWith("-" + jdk) && samples.has(side));
  }

  private String machine() {
    String size = env.getOrDefault("size", "");
    String warning = size.equals("full") ? ""
        : " <b>This is not a full run: its figures show that everything works, and no more.</b>";
    String neighbours = Neighbours.warning(env.getOrDefault(LoomBench.NEIGHBOURS, ""));
    warning += neighbours.isEmpty() ? "" : " <b>" + escaped(neighbours) + "</b>";
    return "<p class=\"dim\">" + escaped(env.getOrDefault("date", "") + ", size " + size + ": " + Machine.text(env))
        + warning + "</p>\n";
  }

  private static String table(List<List<String>> rows) {
    return LoomTables.html(rows, LoomPage::escaped);
  }

  /** One row a figure: a panel for each JDK that was measured, the same axes. */
  private String panels(Axis axis) {
    if (!measured(axis)) {
      return "";
    }
    var text = new StringBuilder("<h2>" + axis.title() + "</h2>\n").append(key());
    for (Figure figure : LoomFigures.BY_AXIS.get(axis)) {
      List<LinePanel> pair =
          Variants.JDKS.stream().filter(this::measured).map(jdk -> panel(axis, figure, jdk)).toList();
      if (pair.stream().anyMatch(panel -> panel.lines().values().stream().flatMap(line -> line.values().stream())
          .anyMatch(value -> value > 0))) {
        LinePanel.Axes axes = LinePanel.Axes.of(pair);
        text.append("<section class=\"card\"><h3>").append(escaped(figure.title()))
            .append("</h3><div class=\"pair\">\n");
        for (LinePanel panel : pair) {
          Svg svg = Svg.bare();
          panel.draw(svg, axes, 0, 10, PANEL_WIDTH);
          text.append(svg.fragment(PANEL_WIDTH, PANEL_HEIGHT, figure.title() + ", " + panel.title()));
        }
        text.append("</div></section>\n");
      }
    }
    return text.toString();
  }

  private LinePanel panel(Axis axis, Figure figure, int jdk) {
    List<Side> sides = Variants.of(jdk);
    var ends = new TreeMap<String, Integer>();
    for (Failure failure : failures) {
      if (failure.axis() == axis && sides.contains(failure.side())
          && samples.of(figure, failure.n(), failure.side()).empty()) {
        ends.putIfAbsent(failure.side().name(), failure.n());
      }
    }
    var crosses = new LinkedHashMap<Side, Integer>();
    ends.forEach((name, n) -> crosses.put(Side.of(name, Variants.ALL), n));
    return new LinePanel("JDK " + release(jdk), axis.across(), figure.unit(), samples.lines(figure, sides), crosses);
  }

  /** The release that really ran: as the daemons have told, without what a distribution adds. */
  private String release(int jdk) {
    for (Side side : Variants.of(jdk)) {
      String told = env.getOrDefault("jdk of " + side.name(), "");
      if (!told.isEmpty()) {
        return told.replaceFirst("[+-].*", "");
      }
    }
    return "" + jdk;
  }

  /** Whether this kind was measured on any release. */
  private boolean measured(Side side) {
    return Variants.ALL.stream().anyMatch(each -> Variants.kind(each).equals(Variants.kind(side)) && samples.has(each));
  }

  private String key() {
    var text = new StringBuilder("<ul class=\"key\">");
    for (Side side : Variants.of(25).stream().filter(this::measured).toList()) {
      text.append("<li><svg viewBox=\"0 0 38 12\" aria-hidden=\"true\"><polyline points=\"0,6 38,6\" class=\"path ")
          .append(Svg.of(side)).append("\"/><circle cx=\"19\" cy=\"6\" r=\"3.5\" class=\"").append(Svg.of(side))
          .append("\"/></svg>").append(escaped(Variants.kind(side))).append("</li>");
    }
    return text.append("<li>× the side could not do it</li></ul>\n").toString();
  }

  private String leftOut() {
    if (skipped.isEmpty()) {
      return "";
    }
    var text = new StringBuilder("<h2>Not measured</h2>\n<ul>\n");
    for (Skipped each : skipped) {
      text.append("<li>").append(escaped(Side.of(each.side(), Variants.ALL).title())).append(", ").append(each.n())
          .append(' ').append(escaped(Axis.of(each.figure()).across())).append(" and more: ")
          .append(escaped(each.reason())).append("</li>\n");
    }
    return text.append("</ul>\n").toString();
  }

  private String data() {
    String name = LoomPublish.name(env);
    var text = new StringBuilder("<h2>Data</h2>\n<p>Beside this page: ");
    for (String kind : LoomPublish.FILES) {
      String file = name + "-" + kind;
      text.append("<a href=\"").append(file).append("\">").append(file).append("</a> ");
    }
    text.append("</p>\n<p class=\"dim\">");
    env.forEach((key, value) -> text.append(key.startsWith("flags") ? "" : escaped(key + ": " + value) + "; "));
    return text.append("</p>\n").toString();
  }

  static String escaped(String text) {
    return Svg.escaped(text).replace("\"", "&quot;");
  }
}
