package io.loomshim.inspect;

import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.StringValue;
import io.loomshim.container.Containers;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.ttrpc.Call;
import io.loomshim.ttrpc.Handler;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;

/**
 * The ttrpc service {@value #SERVICE} on the daemon's socket, which only peers with its own user reach. Its one method
 * takes an Empty and answers a StringValue, the JSON of {@link Report}. It waits for no lock that is held across a
 * command, so it answers however many calls are stuck. This class is loaded when a daemon starts, so it uses no lambda;
 * the first call loads the rest. Any thread may call {@link #handle}.
 */
public final class Inspection implements Handler<Empty> {
  /** The full name of the service. */
  public static final String SERVICE = "io.loomshim.inspect.v1.Inspect";
  /** The bare name of its method. */
  public static final String METHOD = "Inspect";

  private final Identity identity;
  private final Containers containers;
  private final Outbox events;
  private final long startNanos = System.nanoTime();
  private volatile Optional<Server> server = Optional.empty();
  private volatile Map<String, Object> origin = Map.of();

  /** Makes the service of a daemon that starts now. */
  public Inspection(Identity identity, Containers containers, Outbox events) {
    this.identity = identity;
    this.containers = containers;
    this.events = events;
  }

  /** The service for the daemon's server. */
  public Service service() {
    return new Service(SERVICE).method(METHOD, Empty.parser(), this);
  }

  /** Sets the server whose calls the report lists. Call it before that server starts. */
  public void shows(Server server) {
    this.server = Optional.of(server);
  }

  /**
   * The daemon has taken over from {@code pid}, of the build {@code build}, which was killed or has handed over; that
   * was the take-over number {@code count}.
   */
  public void tookOver(int count, long pid, String build) {
    origin = Report.row("count", count, "from_pid", pid, "from_build", build, "at",
        Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
  }

  @Override
  public MessageLite handle(Call call, Empty request) {
    if (server.isEmpty()) {
      throw new StatusException(Code.UNAVAILABLE, "the daemon is starting");
    }
    return StringValue.of(new Report(identity, containers, events, server.get(), startNanos, origin).json());
  }
}
