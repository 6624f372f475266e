package io.loomshim.cgroup;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.MessageLite;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/** What a client sees: messages by the numbers of their fields, whatever our names for these are. */
final class Wire {
  private Wire() {}

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
