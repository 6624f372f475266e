package io.loomshim.integration.harness;

import com.google.protobuf.Empty;
import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.proto.events.Envelope;
import io.loomshim.proto.events.ForwardRequest;
import io.loomshim.proto.events.TaskCreate;
import io.loomshim.proto.events.TaskDelete;
import io.loomshim.proto.events.TaskExecAdded;
import io.loomshim.proto.events.TaskExecStarted;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.events.TaskOOM;
import io.loomshim.proto.events.TaskPaused;
import io.loomshim.proto.events.TaskResumed;
import io.loomshim.proto.events.TaskStart;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import io.loomshim.ttrpc.SocketDoor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands where containerd takes events: a ttrpc server that keeps what shims forward. Safe for many threads, except
 * that one alone ends and reopens it.
 */
public final class EventSink implements AutoCloseable {
  /** An event with the fields that all its kinds share; {@code status} is -1 where the kind has none. */
  public record Seen(String topic, String type, String id, long pid, int status, String process) {}

  private final List<Envelope> envelopes = new CopyOnWriteArrayList<>();
  private final Path socket;
  private Server server;

  private EventSink(Path socket) throws IOException {
    this.socket = socket;
    this.server = serve();
  }

  private Server serve() throws IOException {
    var service = new Service("containerd.services.events.ttrpc.v1.Events").method("Forward", ForwardRequest.parser(),
        (call, request) -> {
          envelopes.add(request.getEnvelope());
          return Empty.getDefaultInstance();
        });
    var started = new Server(SocketDoor.listen(socket), List.of(service));
    started.start();
    return started;
  }

  public static EventSink open(Path socket) throws IOException {
    return new EventSink(socket);
  }

  public Path socket() {
    return socket;
  }

  public List<Envelope> envelopes() {
    return envelopes;
  }

  /** The events of one container so far, in the order of their arrival. */
  public List<Seen> of(String namespace, String id) {
    var found = new ArrayList<Seen>();
    for (var envelope : envelopes) {
      var seen = decode(envelope);
      if (seen.id().equals(id) && envelope.getNamespace().equals(namespace)) {
        found.add(seen);
      }
    }
    return found;
  }

  public List<Seen> until(String namespace, String id, String topic) {
    var looked = new AtomicInteger(); // each is decoded once, however many there are
    Await.until(topic + " of " + id, () -> {
      while (looked.get() < envelopes.size()) {
        var envelope = envelopes.get(looked.getAndIncrement());
        if (envelope.getTopic().equals(topic) && envelope.getNamespace().equals(namespace)
            && decode(envelope).id().equals(id)) {
          return true;
        }
      }
      return false;
    });
    return of(namespace, id);
  }

  private static Seen decode(Envelope envelope) {
    String topic = envelope.getTopic();
    String type = envelope.getEvent().getTypeUrl();
    var bytes = envelope.getEvent().getValue();
    try {
      return switch (type) {
        case "containerd.events.TaskCreate" -> {
          var event = TaskCreate.parseFrom(bytes);
          yield new Seen(topic, type, event.getContainerId(), event.getPid(), -1, "");
        }
        case "containerd.events.TaskStart" -> {
          var event = TaskStart.parseFrom(bytes);
          yield new Seen(topic, type, event.getContainerId(), event.getPid(), -1, "");
        }
        case "containerd.events.TaskExit" -> {
          var event = TaskExit.parseFrom(bytes);
          yield new Seen(topic, type, event.getContainerId(), event.getPid(), event.getExitStatus(), event.getId());
        }
        case "containerd.events.TaskDelete" -> {
          var event = TaskDelete.parseFrom(bytes);
          yield new Seen(topic, type, event.getContainerId(), event.getPid(), event.getExitStatus(), event.getId());
        }
        case "containerd.events.TaskExecAdded" -> {
          var event = TaskExecAdded.parseFrom(bytes);
          yield new Seen(topic, type, event.getContainerId(), 0, -1, event.getExecId());
        }
        case "containerd.events.TaskExecStarted" -> {
          var event = TaskExecStarted.parseFrom(bytes);
          yield new Seen(topic, type, event.getContainerId(), event.getPid(), -1, event.getExecId());
        }
        case "containerd.events.TaskPaused" ->
            new Seen(topic, type, TaskPaused.parseFrom(bytes).getContainerId(), 0, -1, "");
        case "containerd.events.TaskResumed" ->
            new Seen(topic, type, TaskResumed.parseFrom(bytes).getContainerId(), 0, -1, "");
        case "containerd.events.TaskOOM" ->
            new Seen(topic, type, TaskOOM.parseFrom(bytes).getContainerId(), 0, -1, "");
        default -> throw new AssertionError("an event of type " + type);
      };
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  /** Takes events again after a {@link #close}, at the same socket. */
  public void reopen() {
    try {
      server = serve();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    server.close();
    socket.toFile().delete();
  }
}
