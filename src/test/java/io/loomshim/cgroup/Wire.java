package io.loomshim.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.MessageLite;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a client sees: messages by the numbers of their fields, whatever our names for these are. */
final class Wire {
  /** Makes a message of what a stat file says. */
  interface Reading {
    MessageLite of(Map<String, Long> stat) throws IOException;
  }

  private Wire() {}

  /** {@code names} in a file of the kernel are the fields of what {@code read} makes of it, in this order, from 1. */
  static void assertFieldsInOrder(List<String> names, Reading read) throws IOException {
    var text = new StringBuilder();
    var expected = new TreeMap<Integer, Long>();
    for (int field = 1; field <= names.size(); field++) {
      text.append(names.get(field - 1)).append(' ').append(field * 1000).append('\n');
      expected.put(field, field * 1000L);
    }
    assertEquals(expected, numbers(read.of(StatFiles.table(text.toString()))));
  }

  /** The plain numbers in {@code message} by field; those that are 0 are not sent. */
  static Map<Integer, Long> numbers(MessageLite message) throws IOException {
    var numbers = new TreeMap<Integer, Long>();
    CodedInputStream bytes = message.toByteString().newCodedInput();
    for (int tag = bytes.readTag(); tag != 0; tag = bytes.readTag()) {
      if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_VARINT) {
        numbers.put(WireFormat.getTagFieldNumber(tag), bytes.readUInt64());
      } else {
        bytes.skipField(tag);
      }
    }
    return numbers;
  }
}
