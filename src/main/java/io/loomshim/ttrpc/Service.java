package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.metrics.Latency;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A named set of methods. Filled by one thread before it is given to a {@link Server}, not changed
 * afterwards, and from then on read by any thread.
 */
public final class Service {
  /**
   * The use of one method.
   *
   * @param service the full name of the service
   * @param method the bare name of the method
   * @param latency from the arrival of the request until the handler had ended
   */
  public record Usage(String service, String method, Latency.Summary latency) {}

  private final String name;
  private final Map<String, Method<?>> methods = new HashMap<>();

  /** Makes an empty service with its full proto name, e.g. {@code containerd.task.v2.Task}. */
  public Service(String name) {
    this.name = name;
  }

  /**
   * Adds a method under its bare name.
   *
   * @throws IllegalArgumentException if there is one of that name
   */
  public <Q extends MessageLite> Service method(String name, Parser<Q> parser, Handler<Q> handler) {
    return add(new Method<>(this.name, name, Kind.ORDINARY, new Latency(), parser, Optional.empty(), handler));
  }

  /**
   * Adds a method whose handler never waits: no lock that is held for long, no disk, no process. The thread that reads
   * the connection answers it before it reads on, which saves a thread and half of the time.
   *
   * @throws IllegalArgumentException if there is one of that name
   */
  public <Q extends MessageLite> Service immediate(String name, Parser<Q> parser, Handler<Q> handler) {
    return add(new Method<>(this.name, name, Kind.IMMEDIATE, new Latency(), parser, Optional.empty(), handler));
  }

  /**
   * Adds a method whose calls can be answered at once as a rule: {@code attempt} is asked first, on the thread that
   * reads the connection, and the handler does what that leaves.
   *
   * @throws IllegalArgumentException if there is one of that name
   */
  public <Q extends MessageLite> Service prompt(String name, Parser<Q> parser, Attempt<Q> attempt,
      Handler<Q> handler) {
    return add(new Method<>(this.name, name, Kind.ORDINARY, new Latency(), parser, Optional.of(attempt), handler));
  }

  /**
   * Adds a method whose handler may wait without a limit: its calls never count as stuck.
   *
   * @throws IllegalArgumentException if there is one of that name
   */
  public <Q extends MessageLite> Service endless(String name, Parser<Q> parser, Handler<Q> handler) {
    return add(new Method<>(this.name, name, Kind.ENDLESS, new Latency(), parser, Optional.empty(), handler));
  }

  private Service add(Method<?> method) {
    if (methods.putIfAbsent(method.name(), method) != null) {
      throw new IllegalArgumentException("method " + method.name() + " is registered twice");
    }
    return this;
  }

  /** Returns the full proto name. */
  public String name() {
    return name;
  }

  /** Adds the use of each method that has been called. */
  void addUsageTo(List<Usage> list) {
    for (Method<?> method : methods.values()) {
      Latency.Summary summary = method.latency().summary();
      if (summary.count() > 0) {
        list.add(new Usage(name, method.name(), summary));
      }
    }
  }

  Optional<Method<?>> find(String method) {
    return Optional.ofNullable(methods.get(method));
  }
}
