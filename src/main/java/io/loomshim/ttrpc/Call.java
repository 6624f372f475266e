package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import io.loomshim.insight.Flight;
import io.loomshim.insight.Span;
import io.loomshim.proto.ttrpc.KeyValue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Future;

/**
 * One call that a {@link Server} has accepted. Given to the handler, which runs on {@link #thread},
 * and listed by {@link Server#inFlight}; the public methods may be called from any thread unless they
 * say otherwise.
 */
public final class Call {
  /** How far a call is; guarded by the lock of its connection. Only a RUNNING one may be interrupted. */
  enum State { RUNNING, REPLYING, DONE }

  /** Why a call was interrupted. */
  enum Cancel { NOT, DEADLINE, GONE }

  private final Connection connection;
  private final Method<?> method;
  private final long id;
  private final MessageLite request;
  private final List<KeyValue> metadata;
  private final long startNanos;
  private final long deadlineNanos;
  private final boolean hasDeadline;
  private final Span span = Flight.rpc();
  private volatile String who = "";

  /** The thread that read the request and runs the handler. */
  final Thread thread = Thread.currentThread();

  /** What it holds of the server's memory; of its own thread alone. */
  long memory;

  /** Calls its deadline off; of its own thread alone. */
  Optional<Future<?>> deadline = Optional.empty();

  // Guarded by the lock of the connection.
  State state = State.RUNNING;
  Call previous;
  Call next;
  // Written under the lock of the connection.
  volatile Cancel cancel = Cancel.NOT;

  Call(Connection connection, Method<?> method, long id, MessageLite request, List<KeyValue> metadata,
      long timeoutNanos) {
    this.connection = connection;
    this.method = method;
    this.id = id;
    this.request = request;
    this.metadata = metadata;
    this.startNanos = System.nanoTime();
    this.hasDeadline = timeoutNanos != 0;
    this.deadlineNanos = startNanos + Math.min(timeoutNanos, Deadlines.TIMEOUT_NANOS_MAX);
  }

  /** Returns the full name of the service. */
  public String service() {
    return method.service();
  }

  /** Returns the bare name of the method. */
  public String method() {
    return method.name();
  }

  /** Returns the stream id: odd, increasing within a connection. */
  public long id() {
    return id;
  }

  /** Returns the number of the connection, counted from 1 by its server. */
  public long connection() {
    return connection.number();
  }

  /** Returns how long ago the request arrived. */
  public Duration age() {
    return Duration.ofNanos(System.nanoTime() - startNanos);
  }

  /** Returns {@link System#nanoTime} at the arrival of the request. */
  public long startNanos() {
    return startNanos;
  }

  /** Returns the time until the caller's deadline, negative when it has passed; empty when there is none. */
  public Optional<Duration> remaining() {
    return hasDeadline ? Optional.of(Duration.ofNanos(deadlineNanos - System.nanoTime())) : Optional.empty();
  }

  /** Tells whether the call was interrupted: its deadline passed, its connection went, or the server closed. */
  public boolean cancelled() {
    return cancel != Cancel.NOT;
  }

  /** Returns the values that the caller sent under {@code key} (case is ignored), in their order. */
  public List<String> metadata(String key) {
    List<String> values = new ArrayList<>();
    for (KeyValue pair : metadata) {
      if (pair.getKey().toLowerCase(Locale.ROOT).equals(key.toLowerCase(Locale.ROOT))) {
        values.add(pair.getValue());
      }
    }
    return values;
  }

  /**
   * Names the calling thread {@code rpc/<method>/<who>}, e.g. after a container; before that it is called
   * {@code rpc/<method>/c<connection>}. Only for the handler, on its own thread.
   */
  public void serves(String who) {
    this.who = who;
    thread.setName("rpc/" + method.name() + "/" + who);
  }

  /** Returns what {@link #serves} was told, empty before that. */
  public String serves() {
    return who;
  }

  /** Returns the container that it serves: the first word of {@link #serves()}. */
  public String container() {
    int slash = who.indexOf('/');
    return slash < 0 ? who : who.substring(0, slash);
  }

  /** Returns the exec that it serves, empty when there is none: the second word of {@link #serves()}. */
  public String exec() {
    int slash = who.indexOf('/');
    return slash < 0 ? "" : who.substring(slash + 1);
  }

  /** Tells whether it is meant to wait for as long as it takes. */
  public boolean endless() {
    return method.kind() == Method.Kind.ENDLESS;
  }

  /** Returns the stack of the thread that does the call, as it is now. */
  public StackTraceElement[] stack() {
    return thread.getStackTrace();
  }

  /** Tells whether {@code thread} does the call. */
  public boolean isOn(Thread thread) {
    return this.thread == thread;
  }

  /** Returns the name of the thread that does the call: what it serves. */
  public String threadName() {
    return thread.getName();
  }

  /** Tells whether its handler never waits. */
  boolean immediate() {
    return method.kind() == Method.Kind.IMMEDIATE;
  }

  boolean hasDeadline() {
    return hasDeadline;
  }

  long deadlineNanos() {
    return deadlineNanos;
  }

  MessageLite handle() throws Exception {
    return method.handle(this, request);
  }

  /** The handler has ended, with {@code code}: counts it, and tells JFR. */
  void ended(Code code) {
    method.latency().record(System.nanoTime() - startNanos, code == Code.OK);
    if (span != Span.NONE) {
      span.end(method.name(), container(), exec(), code.name());
    }
  }

  @Override
  public String toString() {
    return threadName() + " #" + id;
  }
}
