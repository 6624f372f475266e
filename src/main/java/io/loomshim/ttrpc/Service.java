package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.insight.Latency;
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
   * How one method has been used.
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
    return add(new Method<>(this.name, name, Kind.ORDINARY, new Latency(), parser, handler));
  }

  /**
   * Adds a method whose handler never waits: no lock that is held for long, no disk, no process. The thread that reads
   * the connection answers before it reads on, which saves a thread and half of the time.
   *
   * @throws IllegalArgumentException if there is one of that name
   */
  public <Q extends MessageLite> Service immediate(String name, Parser<Q> parser, Handler<Q> handler) {
    return add(new Method<>(this.name, name, Kind.IMMEDIATE, new Latency(), parser, handler));
  }

  /**
   * Adds a method whose handler is meant to wait for as long as it takes: no call of it ever counts as stuck.
   *
   * @throws IllegalArgumentException if there is one of that name
   */
  public <Q extends MessageLite> Service endless(String name, Parser<Q> parser, Handler<Q> handler) {
    return add(new Method<>(this.name, name, Kind.ENDLESS, new Latency(), parser, handler));
  }

  private Service add(Method<?> method) {
    if (methods.putIfAbsent(method.name(), method) != null) {
      throw new IllegalArgumentException("method " + method.name() + " is there twice");
    }
    return this;
  }

  /** Returns the full proto name. */
  public String name() {
    return name;
  }

  /** Adds what is known of each method that has been called. */
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
