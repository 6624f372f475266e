package io.loomshim.bench.figure;

import java.util.Locale;

/** What a value is counted in, and how it is written. */
public enum Unit {
  US("µs", 1000, "ms"), KB("kB", 1024, "MB"), MS("ms", 1000, "s"), S("s", 0, ""), MB("MB", 1024, "GB"),
  RATE("/s", 1000, "k/s"), MS_PER_S("ms/s", 0, ""), COUNT("", 0, ""),
  /** A number that need not be whole. */
  EACH("", 0, "");

  /** A blank at which no line ends. */
  public static final char NO_BREAK = '\u00a0';

  private final String sign;
  private final double step;
  private final String larger;

  /** From {@code step} on, if it is not 0, values are written in the unit {@code larger}. */
  Unit(String sign, double step, String larger) {
    this.sign = sign;
    this.step = step;
    this.larger = larger;
  }

  /** Three digits and the unit. */
  public String text(double value) {
    return this == COUNT ? Long.toString(Math.round(value)) : (number(scaled(value)) + " " + sign(value)).strip();
  }

  /** A round number, without digits that are all 0. */
  public String round(double value) {
    String number = String.format(Locale.ROOT, "%.3f", scaled(value)).replaceFirst("\\.?0+$", "");
    return (number + " " + sign(value)).strip();
  }

  /** {@code value}, a round number, or the one near it that is round in the larger unit: 1 GB for 1000 MB. */
  public double tick(double value) {
    return step > 0 && value >= 1000 ? value / 1000 * step : value;
  }

  /** The range, in the unit of {@code text(middle)}, without it. */
  public String range(double low, double middle, double high) {
    if (this == COUNT) {
      return Math.round(low) + "–" + Math.round(high);
    }
    double scale = step > 0 && middle >= step ? step : 1;
    return number(low / scale) + "–" + number(high / scale);
  }

  private double scaled(double value) {
    return step > 0 && value >= step ? value / step : value;
  }

  private String sign(double value) {
    return step > 0 && value >= step ? larger : sign;
  }

  public static String number(double value) {
    if (value == 0) {
      return "0";
    }
    return String.format(Locale.ROOT, value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f", value);
  }
}
