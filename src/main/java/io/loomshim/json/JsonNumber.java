package io.loomshim.json;

import java.math.BigDecimal;

/**
 * A number as a JSON text has it. Its value is worked out when it is asked for: the first BigDecimal of a JVM costs
 * 12 ms, and most numbers are only handed on, which keeps them as they were written.
 *
 * <p>Two are equal when their texts are.
 */
public final class JsonNumber extends Number {
  private static final long serialVersionUID = 1;
  private final String text;

  /** {@code text} is a number in JSON's grammar. */
  JsonNumber(String text) {
    this.text = text;
  }

  /** The value, exactly. */
  public BigDecimal value() {
    return new BigDecimal(text);
  }

  @Override
  public int intValue() {
    return value().intValue();
  }

  @Override
  public long longValue() {
    return value().longValue();
  }

  @Override
  public float floatValue() {
    return value().floatValue();
  }

  @Override
  public double doubleValue() {
    return value().doubleValue();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JsonNumber number && number.text.equals(text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  /** The text that was read. */
  @Override
  public String toString() {
    return text;
  }
}
