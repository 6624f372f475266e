package io.loomshim.record;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import java.util.Objects;

/**
 * One change of the state: a value is put, a value is removed, or a container is forgotten with all its values.
 * Immutable.
 */
public final class Change {
  /** What a change does, by the byte that stands for it. */
  enum Operation {
    PUT,
    REMOVE,
    FORGET
  }

  /** The longest key: a container's id and an exec's have 76 and 128 characters at most. */
  static final int KEY_BYTES_MAX = (1 << 16) - 1;

  private static final char FIRST_DIGIT = '0';
  private static final int NUMBER_DIGITS = 19; // of Long.MAX_VALUE

  private final Operation operation;
  private final int kind;
  private final String key;
  private final ByteString value;

  Change(Operation operation, int kind, String key, ByteString value) {
    if (kind < 0 || kind >= Kinds.END) {
      throw new IllegalArgumentException("kind " + kind);
    }
    this.operation = operation;
    this.kind = kind;
    this.key = key;
    this.value = value;
  }

  /** Puts {@code value} in the place of what {@code key} has. */
  public static Change put(int kind, String key, MessageLite value) {
    return put(kind, key, value.toByteString());
  }

  /** The same for a value that is encoded already. */
  public static Change put(int kind, String key, ByteString value) {
    return new Change(Operation.PUT, kind, key, value);
  }

  /** Removes the value of {@code key}, if there is one. */
  public static Change remove(int kind, String key) {
    return new Change(Operation.REMOVE, kind, key, ByteString.EMPTY);
  }

  /** Removes all that belongs to the container {@code id}. */
  public static Change forget(String id) {
    return new Change(Operation.FORGET, 0, id, ByteString.EMPTY);
  }

  /** A key for a number that is not negative; keys sort as their numbers do. */
  public static String number(long number) {
    String digits = Long.toString(number);
    var key = new StringBuilder(NUMBER_DIGITS);
    for (int i = digits.length(); i < NUMBER_DIGITS; i++) {
      key.append(FIRST_DIGIT);
    }
    return key.append(digits).toString();
  }

  Operation operation() {
    return operation;
  }

  int kind() {
    return kind;
  }

  String key() {
    return key;
  }

  ByteString value() {
    return value;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Change that && operation == that.operation && kind == that.kind && key.equals(that.key)
        && value.equals(that.value);
  }

  @Override
  public int hashCode() {
    return Objects.hash(operation, kind, key, value);
  }

  @Override
  public String toString() {
    return operation + " " + kind + " " + key + " " + value.size() + " bytes";
  }
}
