package io.loomshim.event;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Timestamp;
import io.loomshim.proto.events.Envelope;
import java.io.IOException;
import java.time.Instant;

/**
 * One event in the {@link Outbox}, in its wire form, about 200 bytes.
 *
 * @param published when it was put there; every attempt to deliver it says this time
 */
record Entry(Topic topic, ByteString event, Instant published) {
  private static final int CONTAINER_TAG = 1 << 3 | 2;

  /** Throws IllegalArgumentException for a message that is no event. */
  static Entry of(MessageLite event, Instant published) {
    return new Entry(Topic.of(event), event.toByteString(), published);
  }

  /** The container that it is about: every task event has its id as field 1, which is written first. */
  String container() {
    try {
      var input = event.newCodedInput();
      return input.readTag() == CONTAINER_TAG ? input.readString() : "";
    } catch (IOException e) {
      throw new AssertionError("not written by us", e);
    }
  }

  Envelope envelope(String namespace) {
    var any = Any.newBuilder().setTypeUrl(topic.typeUrl()).setValue(event);
    var timestamp = Timestamp.newBuilder().setSeconds(published.getEpochSecond()).setNanos(published.getNano());
    return Envelope.newBuilder().setTimestamp(timestamp).setNamespace(namespace).setTopic(topic.topic())
        .setEvent(any).build();
  }
}
