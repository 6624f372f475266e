package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.insight.Flight;
import io.loomshim.insight.Span;
import io.loomshim.threads.NoThreadException;
import io.loomshim.threads.Threads;
import java.util.Optional;
import java.util.concurrent.Future;

/** One request and what becomes of it. Made, and used, by the thread that serves it alone; no lock. */
final class Exchange {
  private final Method<?> method;
  private final Call call;
  private final MessageLite request;
  private final Calls.Entry entry;
  private final Span span = Flight.rpc();

  /** What it holds of the server's memory. */
  long memory;

  /** Its deadline, to be called off. */
  Optional<Future<?>> deadline = Optional.empty();

  Exchange(Method<?> method, Call call, MessageLite request) {
    this.method = method;
    this.call = call;
    this.request = request;
    this.entry = new Calls.Entry(call);
  }

  Call call() {
    return call;
  }

  /** Its place among the calls in flight. */
  Calls.Entry entry() {
    return entry;
  }

  /** Runs the handler and encodes its reply, or throws what becomes an error. */
  byte[] reply() throws Exception {
    MessageLite reply = call.immediate() ? method.handle(call, request) : handleInTurn();
    if (reply == null) {
      throw new StatusException(Code.UNKNOWN, "ttrpc: marshal called with nil");
    }
    byte[] frame = Frame.reply(call.id(), reply);
    ended(Code.OK);
    return frame;
  }

  /** Encodes an error. */
  byte[] error(StatusException status) {
    ended(status.code());
    return Frame.error(call.id(), status.code(), status.getMessage());
  }

  private MessageLite handleInTurn() throws Exception {
    try {
      Threads.beginCall();
    } catch (NoThreadException e) {
      throw new StatusException(Code.RESOURCE_EXHAUSTED, e.getMessage(), e);
    }
    try {
      return method.handle(call, request);
    } finally {
      Threads.endCall();
    }
  }

  /** The handler has ended, with {@code code}: counts it, and tells JFR. */
  private void ended(Code code) {
    method.latency().record(System.nanoTime() - call.startNanos(), code == Code.OK);
    if (span != Span.NONE) {
      span.end(call.method(), call.subject(), code.name());
    }
  }
}
