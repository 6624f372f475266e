package io.loomshim.bench.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What stands where in a drawing; the width of a text is the most that it may take. */
public final class Drawing {
  private static final Pattern CARD = Pattern.compile("<svg [^>]*width=\"(\\d+)\" height=\"(\\d+)\"");
  private static final Pattern TEXT =
      Pattern.compile("<text x=\"([\\d.-]+)\" y=\"([\\d.-]+)\" class=\"([^\"]*)\" text-anchor=\"(\\w+)\">([^<]*)<");
  private static final Pattern MARK = Pattern.compile("<(?:circle cx|rect x)=\"([\\d.-]+)\" (?:cy|y)=\"([\\d.-]+)\"");
  private static final Pattern POINTS = Pattern.compile("points=\"([^\"]*)\"");

  /** Numbers below the end of an axis may stand in a part of the right edge. */
  private static final int MARGIN = 8;

  private record Box(String what, double left, double right, double top, double bottom) {
    boolean meets(Box other) {
      return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
    }
  }

  private final double width;
  private final double height;
  private final List<Box> texts = new ArrayList<>();
  private final List<Box> marks = new ArrayList<>();

  public Drawing(String svg) {
    Matcher card = CARD.matcher(svg);
    assertTrue(card.find(), svg);
    width = Double.parseDouble(card.group(1));
    height = Double.parseDouble(card.group(2));
    for (Matcher text = TEXT.matcher(svg); text.find(); ) {
      String classes = text.group(3);
      String words = text.group(5).replaceAll("&\\w+;", "&");
      double size = size(classes);
      double wide = Svg.width(words.length()) * size / 12;
      double x = Double.parseDouble(text.group(1));
      double left = switch (text.group(4)) {
        case "end" -> x - wide;
        case "middle" -> x - wide / 2;
        default -> x;
      };
      double y = Double.parseDouble(text.group(2));
      texts.add(new Box(words, left, left + wide, y - size * 0.8, y + size * 0.2));
    }
    for (Matcher mark = MARK.matcher(svg.substring(svg.indexOf("class=\"card\""))); mark.find(); ) {
      mark(mark.group(), Double.parseDouble(mark.group(1)), Double.parseDouble(mark.group(2)));
    }
    for (Matcher line = POINTS.matcher(svg); line.find(); ) {
      for (String point : line.group(1).split(" ")) {
        mark(point, Double.parseDouble(point.split(",")[0]), Double.parseDouble(point.split(",")[1]));
      }
    }
  }

  private static double size(String classes) {
    return classes.contains("huge") ? 26 : classes.contains("large") ? Svg.LARGE : classes.contains("title") ? 17
        : classes.contains("head") ? 13 : classes.contains("small") ? 11 : 12;
  }

  private void mark(String what, double x, double y) {
    marks.add(new Box(what, x, x, y, y));
  }

  public List<String> texts() {
    return texts.stream().map(Box::what).toList();
  }

  /** No text and no mark is at or beyond the edge of the card, and no text stands upon another. */
  public void check() {
    var wrong = new ArrayList<String>();
    var all = new ArrayList<>(texts);
    all.addAll(marks);
    for (Box box : all) {
      if (box.left < Svg.PAD - 1 || box.right > width - MARGIN || box.top < 0 || box.bottom > height) {
        wrong.add("outside: " + box);
      }
    }
    for (int i = 0; i < texts.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (texts.get(i).meets(texts.get(j))) {
          wrong.add(texts.get(j) + " meets " + texts.get(i));
        }
      }
    }
    assertEquals(List.of(), wrong);
  }
}
