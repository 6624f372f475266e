package io.loomshim.ttrpc;

import io.loomshim.metrics.Subject;
import io.loomshim.proto.ttrpc.KeyValue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One call that a server has accepted, as its handler and reports about calls in flight see it. Immutable but for its
 * subject, which the thread of the call sets. May be used from any thread.
 */
public final class Call {
  private final String service;
  private final String method;
  private final Kind kind;
  private final long connection;
  private final long id;
  private final List<KeyValue> metadata;
  private final long startNanos = System.nanoTime();
  private final long deadlineNanos;
  private final boolean hasDeadline;

  /** The thread that read the request and runs the handler. */
  final Thread thread = Thread.currentThread();

  // Written by the thread of the call alone.
  private volatile Subject subject = Subject.NONE;

  Call(String service, String method, Kind kind, long connection, long id, List<KeyValue> metadata,
      long timeoutNanos) {
    this.service = service;
    this.method = method;
    this.kind = kind;
    this.connection = connection;
    this.id = id;
    this.metadata = metadata;
    this.hasDeadline = timeoutNanos != 0;
    this.deadlineNanos = startNanos + Math.min(timeoutNanos, Deadlines.TIMEOUT_NANOS_MAX);
  }

  /** Returns the full name of the service. */
  public String service() {
    return service;
  }

  /** Returns the bare name of the method. */
  public String method() {
    return method;
  }

  /** Returns the stream id: odd, increasing within a connection. */
  public long id() {
    return id;
  }

  /** Returns the number of the connection, counted from 1 by its server. */
  public long connection() {
    return connection;
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

  /** Returns the values that the caller sent under {@code key}, whose case is ignored, in their order. */
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
   * Sets what the call is for, and names its thread {@code rpc/METHOD/SUBJECT}. Before that the thread is called
   * {@code rpc/METHOD/cN} after the connection. Only for the handler, on the thread of the call.
   */
  public void serves(Subject subject) {
    this.subject = subject;
    thread.setName("rpc/" + method + "/" + subject);
  }

  /** Returns what {@link #serves} has set, {@link Subject#NONE} before that. */
  public Subject subject() {
    return subject;
  }

  /** Tells whether the call may wait without a limit. */
  public boolean endless() {
    return kind == Kind.ENDLESS;
  }

  /** Returns the present stack of the thread that does the call. */
  public StackTraceElement[] stack() {
    return thread.getStackTrace();
  }

  /** Tells whether {@code thread} does the call. */
  public boolean isOn(Thread thread) {
    return this.thread == thread;
  }

  /** Returns the name of the thread that does the call. */
  public String threadName() {
    return thread.getName();
  }

  /** Tells whether its handler never waits. */
  boolean immediate() {
    return kind == Kind.IMMEDIATE;
  }

  boolean hasDeadline() {
    return hasDeadline;
  }

  /** Returns the caller's timeout; 0 or less when it had passed on arrival. */
  long timeoutNanos() {
    return deadlineNanos - startNanos;
  }

  @Override
  public String toString() {
    return threadName() + " #" + id;
  }
}
