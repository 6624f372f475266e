package io.loomshim.bench.chart;

import io.loomshim.bench.figure.Side;
import java.util.Locale;

/**
 * Text of one SVG drawing on a card of its own, readable on light and on dark pages: colours are classes, and the
 * reader's colour scheme chooses between two sets of them.
 */
public final class Svg {
  public static final int WIDTH = 860;

  /** Distance of everything from the edge of the card. */
  public static final int PAD = 24;

  /** Where the drawing below title and subtitle begins. */
  public static final int TOP = 76;

  /** Pixels of texts of the class {@code large}: half of that is still read. */
  public static final int LARGE = 19;

  private static final String FONT =
      "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif";

  /** Class, property, light, dark. The colours of the sides can be told apart by the colour-blind, too. */
  private static final String[][] COLOURS = {
      {"card", "fill", "#ffffff", "#0d1117"}, {"card", "stroke", "#d1d9e0", "#3d444d"},
      {"ink", "fill", "#1f2328", "#f0f6fc"}, {"dim", "fill", "#59636e", "#9198a1"},
      {"grid", "stroke", "#e4e8ec", "#262c36"}, {"axis", "stroke", "#818b98", "#656c76"},
      {"good", "fill", "#0072b2", "#58a6ff"}, {"bad", "fill", "#d55e00", "#f0883e"},
      {"loom", "fill", "#0072b2", "#58a6ff"}, {"runc-v1", "fill", "#d55e00", "#f0883e"},
      {"runc-v2", "fill", "#e0a100", "#e3b341"}, {"runc-v2-group", "fill", "#009e73", "#3fb950"},
      {"loom-each", "fill", "#7fb8d8", "#1f4f80"}, {"loom-before", "fill", "#9b3d82", "#d68fc4"},
      {"floor", "fill", "#8c959f", "#768390"}};

  private final StringBuilder body = new StringBuilder();

  public Svg(String title, String subtitle) {
    text(PAD, PAD + 16, "ink title", "start", title);
    text(PAD, PAD + 36, "dim", "start", subtitle);
  }

  private Svg() {}

  /** Without a title. For a page that has its own style, {@link #fragment} ends it. */
  public static Svg bare() {
    return new Svg();
  }

  /** The most that a text of this many characters takes in the widest of the fonts, at 12 pixels. */
  static double width(int characters) {
    return 6.7 * characters;
  }

  /** The same at another size. */
  static double width(int characters, int pixels) {
    return width(characters) * pixels / 12;
  }

  /** The class of a side: its name, with nothing that CSS would take for more. */
  public static String of(Side side) {
    return side.name().replace('.', '-');
  }

  public void text(double x, double y, String classes, String anchor, String text) {
    body.append(String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">%s</text>%n",
        x, y, classes, anchor, escaped(text)));
  }

  /** With rounded corners; {@code opacity} in percent. */
  void bar(double x, double y, double width, double height, String classes, int opacity) {
    body.append(String.format(Locale.ROOT, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\""
        + " class=\"%s\" fill-opacity=\"%.2f\"/>%n", x, y, Math.max(width, 1), height, classes, opacity / 100.0));
  }

  public void line(double x1, double y1, double x2, double y2, String classes) {
    body.append(String.format(Locale.ROOT, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>%n",
        x1, y1, x2, y2, classes));
  }

  void dot(double x, double y, double radius, String classes) {
    body.append(String.format(Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" class=\"%s\"/>%n", x, y, radius,
        classes));
  }

  /** A ring: a dot that shows what is behind it. */
  void ring(double x, double y, double radius, String classes) {
    body.append(String.format(Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" class=\"ring %s\"/>%n", x, y,
        radius, classes));
  }

  /** A cross: nothing comes after it. */
  void cross(double x, double y, double radius, String classes) {
    for (int sign : new int[] {-1, 1}) {
      path(String.format(Locale.ROOT, "%.1f,%.1f %.1f,%.1f", x - radius, y - sign * radius, x + radius,
          y + sign * radius), "end " + classes);
    }
  }

  /** A line through points, {@code x,y} each. */
  public void path(String points, String classes) {
    body.append("<polyline points=\"").append(points).append("\" class=\"path ").append(classes).append("\"/>\n");
  }

  /** A key to the colours of sides, from x on. */
  void key(double x, double y, Iterable<Side> sides) {
    double at = x;
    for (Side side : sides) {
      dot(at + 5, y - 4, 5, of(side));
      text(at + 16, y, "ink", "start", side.title());
      at += 34 + width(side.title().length());
    }
  }

  /** A drawing inside a page, as wide as its place there; {@code label} for who cannot see it. */
  public String fragment(double width, double height, String label) {
    return String.format(Locale.ROOT, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">%n%s</svg>%n",
        width, height, escaped(label).replace("\"", "&quot;"), body);
  }

  /** The whole file. */
  public String end(double height) {
    var style = new StringBuilder("text{font:12px ").append(FONT).append("}.title{font-size:17px;font-weight:600}"
        + ".head{font-size:13px;font-weight:600}.small{font-size:11px}.huge{font-size:26px;font-weight:600}"
        + ".large{font-size:" + LARGE + "px}.path{stroke-width:2.2;stroke-linejoin:round}"
        + ".ring{stroke-width:2}.whisker{stroke-width:1.5}line{stroke-width:1}");
    rules(style, 2);
    style.append("@media(prefers-color-scheme:dark){");
    rules(style, 3);
    style.append('}');
    return String.format(Locale.ROOT, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\""
        + " viewBox=\"0 0 %d %.0f\" role=\"img\">%n<style>%s</style>%n<rect x=\"0.5\" y=\"0.5\" width=\"%d\""
        + " height=\"%.0f\" rx=\"8\" class=\"card\"/>%n%s</svg>%n", WIDTH, height, WIDTH, height, style, WIDTH - 1,
        height - 1, body);
  }

  private static void rules(StringBuilder style, int column) {
    for (String[] colour : COLOURS) {
      String name = colour[0];
      style.append('.').append(name).append('{').append(colour[1]).append(':').append(colour[column]).append('}');
      if (colour[1].equals("fill") && !name.equals("card")) {
        // lines and rings of the same colour
        style.append(".path.").append(name).append(",.ring.").append(name).append(",.whisker.").append(name)
            .append("{fill:none;stroke:").append(colour[column]).append('}');
      }
    }
  }

  public static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
