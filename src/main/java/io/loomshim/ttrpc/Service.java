package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A named set of methods. Filled by one thread before it is given to a {@link Server}, not changed
 * afterwards, and from then on read by any thread.
 */
public final class Service {
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
    return add(new Method<>(this.name, name, false, parser, handler));
  }

  /**
   * Adds a method whose handler never waits: no lock that is held for long, no disk, no process. The thread that reads
   * the connection answers before it reads on, which saves a thread and half of the time.
   *
   * @throws IllegalArgumentException if there is one of that name
   */
  public <Q extends MessageLite> Service immediate(String name, Parser<Q> parser, Handler<Q> handler) {
    return add(new Method<>(this.name, name, true, parser, handler));
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

  Optional<Method<?>> find(String method) {
    return Optional.ofNullable(methods.get(method));
  }
}
