package io.loomshim.event;

import com.google.protobuf.MessageLite;
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

/** The kinds of event: message class, containerd's topic, and the bare name of the message that an Any carries. */
enum Topic {
  CREATE(TaskCreate.class, "/tasks/create", "containerd.events.TaskCreate"),
  START(TaskStart.class, "/tasks/start", "containerd.events.TaskStart"),
  EXIT(TaskExit.class, "/tasks/exit", "containerd.events.TaskExit"),
  DELETE(TaskDelete.class, "/tasks/delete", "containerd.events.TaskDelete"),
  EXEC_ADDED(TaskExecAdded.class, "/tasks/exec-added", "containerd.events.TaskExecAdded"),
  EXEC_STARTED(TaskExecStarted.class, "/tasks/exec-started", "containerd.events.TaskExecStarted"),
  OOM(TaskOOM.class, "/tasks/oom", "containerd.events.TaskOOM"),
  PAUSED(TaskPaused.class, "/tasks/paused", "containerd.events.TaskPaused"),
  RESUMED(TaskResumed.class, "/tasks/resumed", "containerd.events.TaskResumed"),
  /** Known as containerd's other shims know it; none of them sends it. */
  CHECKPOINTED(TaskCheckpointed.class, "/tasks/checkpointed", "containerd.events.TaskCheckpointed");

  private static final Topic[] ALL = values();

  private final Class<? extends MessageLite> message;
  private final String topic;
  private final String typeUrl;

  Topic(Class<? extends MessageLite> message, String topic, String typeUrl) {
    this.message = message;
    this.topic = topic;
    this.typeUrl = typeUrl;
  }

  /** The kind of {@code event}; throws IllegalArgumentException for a message that is no event. */
  static Topic of(MessageLite event) {
    for (Topic topic : ALL) {
      if (topic.message == event.getClass()) {
        return topic;
      }
    }
    throw new IllegalArgumentException(event.getClass().getName() + " is no event");
  }

  /** The kind with this topic; throws IllegalArgumentException when there is none. */
  static Topic named(String name) {
    for (Topic topic : ALL) {
      if (topic.topic.equals(name)) {
        return topic;
      }
    }
    throw new IllegalArgumentException(name + " is no topic");
  }

  /** For example {@code /tasks/start}. */
  String topic() {
    return topic;
  }

  /** For example {@code containerd.events.TaskStart}; older decoders match it exactly, so without any prefix. */
  String typeUrl() {
    return typeUrl;
  }

  /** Whether it ends a process or container: clients wait for such an event, and without it they wait for ever. */
  boolean isFinal() {
    return this == EXIT || this == DELETE;
  }
}
