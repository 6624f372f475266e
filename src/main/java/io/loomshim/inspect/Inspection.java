package io.loomshim.inspect;

import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.StringValue;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.task.TaskService;
import io.loomshim.ttrpc.Call;
import io.loomshim.ttrpc.Handler;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import java.util.Optional;

/**
 * The ttrpc service {@value #SERVICE} on the daemon's socket, which only peers with its own user reach. Its one method
 * takes an Empty and answers a StringValue, the JSON of {@link Report}. It waits for no lock that is held across a
 * command, so it answers however many calls are stuck. A class and no lambda, and all else is loaded by the first call:
 * a daemon starts with this.
 */
public final class Inspection implements Handler<Empty> {
  static final String SERVICE = "io.loomshim.inspect.v1.Inspect";
  static final String METHOD = "Inspect";

  private final About about;
  private final TaskService tasks;
  private final Outbox events;
  private final long startNanos = System.nanoTime();
  private volatile Optional<Server> server = Optional.empty();

  public Inspection(About about, TaskService tasks, Outbox events) {
    this.about = about;
    this.tasks = tasks;
    this.events = events;
  }

  public Service service() {
    return new Service(SERVICE).method(METHOD, Empty.parser(), this);
  }

  /** Tells the server whose calls are to be shown; before it starts. */
  public void shows(Server server) {
    this.server = Optional.of(server);
  }

  @Override
  public MessageLite handle(Call call, Empty request) {
    if (server.isEmpty()) {
      throw new StatusException(Code.UNAVAILABLE, "the daemon is starting");
    }
    return StringValue.of(new Report(about, tasks, events, server.get(), startNanos).json());
  }
}
