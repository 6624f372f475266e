package io.loomshim.event;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Timestamp;
import io.loomshim.proto.events.Envelope;
import io.loomshim.proto.record.EventEntry;
import java.io.IOException;
import java.time.Instant;

/**
 * One event in the {@link Outbox}, in its wire form, about 200 bytes.
 *
 * @param published when it was added; every attempt to deliver it sends this time
 */
record Entry(Topic topic, ByteString event, Instant published) {
  private static final int CONTAINER_TAG = 1 << 3 | 2;

  /** The entry for a message; throws IllegalArgumentException for a message that is no task event. */
  static Entry of(MessageLite event, Instant published) {
    return new Entry(Topic.of(event), event.toByteString(), published);
  }

  /** The entry that was written down as {@code saved}; throws IllegalArgumentException for a topic of another build. */
  static Entry of(EventEntry saved) {
    Timestamp published = saved.getPublished();
    return new Entry(Topic.named(saved.getTopic()), saved.getEvent().getValue(),
        Instant.ofEpochSecond(published.getSeconds(), published.getNanos()));
  }

  /** For the journal. */
  EventEntry saved() {
    return EventEntry.newBuilder().setTopic(topic.topic()).setEvent(any()).setPublished(timestamp()).build();
  }

  private Any any() {
    return Any.newBuilder().setTypeUrl(topic.typeUrl()).setValue(event).build();
  }

  private Timestamp timestamp() {
    return Timestamp.newBuilder().setSeconds(published.getEpochSecond()).setNanos(published.getNano()).build();
  }

  /** The container of the event: every task event has the container's id as field 1, which is written first. */
  String container() {
    try {
      var input = event.newCodedInput();
      return input.readTag() == CONTAINER_TAG ? input.readString() : "";
    } catch (IOException e) {
      throw new AssertionError("not written by us", e);
    }
  }

  Envelope envelope(String namespace) {
    return Envelope.newBuilder().setTimestamp(timestamp()).setNamespace(namespace).setTopic(topic.topic())
        .setEvent(any()).build();
  }
}
