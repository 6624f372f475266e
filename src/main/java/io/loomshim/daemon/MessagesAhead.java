package io.loomshim.daemon;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Timestamp;
import io.loomshim.proto.events.Envelope;
import io.loomshim.proto.events.ForwardRequest;
import io.loomshim.proto.events.TaskCreate;
import io.loomshim.proto.events.TaskDelete;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.events.TaskStart;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.ConnectResponse;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.CreateTaskResponse;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StartResponse;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * Has protobuf made ready by a thread of its own, while the main thread makes its first native calls: the two have
 * nothing to do with each other, and each takes a good part of a cold start. The first message has the JDK's logging
 * made ready, which reads its settings and looks for a service in every jar. Afterwards the messages of a container's
 * life are used once each, while the client connects.
 *
 * <p>No other thread may use a message before {@link #await} has returned: the classes of protobuf's core need each
 * other, and two threads that make them ready in another order would wait for each other for ever.
 */
final class MessagesAhead implements Runnable {
  private final CountDownLatch ready = new CountDownLatch(1);
  private volatile Optional<Error> failure = Optional.empty();

  private MessagesAhead() {}

  /** Begins. */
  static MessagesAhead begin() {
    var messages = new MessagesAhead();
    Threads.startPlatform("messages", messages);
    return messages;
  }

  /**
   * Does a part of it on this thread: protobuf formats its version when it is loaded, and the first number that the JDK
   * formats has it make the data of the language ready.
   */
  void share() {
    String zero = String.format("%d", 0);
    assert !zero.isEmpty();
  }

  @Override
  public void run() {
    try {
      use(Envelope.newBuilder().setNamespace("n").setTopic("t").setTimestamp(Timestamp.newBuilder().setSeconds(1))
          .build());
    } catch (Error e) { // no memory, or a jar is missing: the main thread tells
      failure = Optional.of(e);
    } finally {
      ready.countDown();
    }
    if (failure.isEmpty()) {
      life();
    }
  }

  /** Waits until messages can be used. */
  void await() throws IOException {
    try {
      ready.await();
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    }
    if (failure.isPresent()) {
      throw failure.get();
    }
  }

  private static void life() {
    for (MessageLite message : List.of(Request.getDefaultInstance(), Response.getDefaultInstance(),
        CreateTaskRequest.getDefaultInstance(), ConnectRequest.getDefaultInstance(),
        CreateTaskResponse.getDefaultInstance(), ConnectResponse.getDefaultInstance(),
        TaskCreate.getDefaultInstance(), ForwardRequest.getDefaultInstance(), StartRequest.getDefaultInstance(),
        StartResponse.getDefaultInstance(), TaskStart.getDefaultInstance(), WaitRequest.getDefaultInstance(),
        WaitResponse.getDefaultInstance(), StateRequest.getDefaultInstance(), StateResponse.getDefaultInstance(),
        TaskExit.getDefaultInstance(), DeleteRequest.getDefaultInstance(), DeleteResponse.getDefaultInstance(),
        TaskDelete.getDefaultInstance(), ShutdownRequest.getDefaultInstance())) {
      use(message);
    }
  }

  private static void use(MessageLite message) {
    try {
      message.getParserForType().parseFrom(message.toByteArray());
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError("what was written is read", e);
    }
  }
}
