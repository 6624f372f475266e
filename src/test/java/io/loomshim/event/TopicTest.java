package io.loomshim.event;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.MessageLite;
import io.loomshim.proto.events.Envelope;
import io.loomshim.proto.events.TaskCheckpointed;
import io.loomshim.proto.events.TaskCreate;
import io.loomshim.proto.events.TaskDelete;
import io.loomshim.proto.events.TaskExecAdded;
import io.loomshim.proto.events.TaskExecStarted;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.events.TaskOOM;
import io.loomshim.proto.events.TaskPaused;
import io.loomshim.proto.events.TaskResumed;
import io.loomshim.proto.events.TaskStart;
import java.time.Instant;
import java.util.LinkedHashMap;
import org.junit.jupiter.api.Test;

class TopicTest {
  @Test
  void everyEventHasItsTopicAndItsBareName() {
    var topics = new LinkedHashMap<MessageLite, String>();
    topics.put(TaskCreate.getDefaultInstance(), "/tasks/create");
    topics.put(TaskStart.getDefaultInstance(), "/tasks/start");
    topics.put(TaskDelete.getDefaultInstance(), "/tasks/delete");
    topics.put(TaskExit.getDefaultInstance(), "/tasks/exit");
    topics.put(TaskOOM.getDefaultInstance(), "/tasks/oom");
    topics.put(TaskExecAdded.getDefaultInstance(), "/tasks/exec-added");
    topics.put(TaskExecStarted.getDefaultInstance(), "/tasks/exec-started");
    topics.put(TaskPaused.getDefaultInstance(), "/tasks/paused");
    topics.put(TaskResumed.getDefaultInstance(), "/tasks/resumed");
    topics.put(TaskCheckpointed.getDefaultInstance(), "/tasks/checkpointed");
    assertEquals(Topic.values().length, topics.size());
    for (var topic : topics.entrySet()) {
      Topic found = Topic.of(topic.getKey());
      assertEquals(topic.getValue(), found.topic());
      assertEquals("containerd.events." + topic.getKey().getClass().getSimpleName(), found.typeUrl());
    }
  }

  @Test
  void otherMessagesAreNoEvents() {
    assertThrows(IllegalArgumentException.class, () -> Topic.of(Envelope.getDefaultInstance()));
  }

  @Test
  void anEnvelopeCarriesTheEventUnderItsName() throws Exception {
    var event = TaskExit.newBuilder().setContainerId("web-1").setId("web-1").setPid(7).setExitStatus(137).build();
    var envelope = Entry.of(event, Instant.ofEpochSecond(1234, 5678)).envelope("k8s.io");
    assertEquals(1234, envelope.getTimestamp().getSeconds());
    assertEquals(5678, envelope.getTimestamp().getNanos());
    assertEquals("k8s.io", envelope.getNamespace());
    assertEquals("/tasks/exit", envelope.getTopic());
    assertEquals("containerd.events.TaskExit", envelope.getEvent().getTypeUrl());
    assertEquals(event, TaskExit.parseFrom(envelope.getEvent().getValue()));
  }
}
