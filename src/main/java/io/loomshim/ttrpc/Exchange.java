package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.metrics.Flight;
import io.loomshim.metrics.Span;
import io.loomshim.threads.NoThreadException;
import io.loomshim.threads.Threads;
import java.util.Optional;
import java.util.concurrent.Future;

/** One request until its reply. Only the thread that serves it makes and uses it; no lock. */
final class Exchange {
  private final Method<?> method;
  private final Call call;
  private final MessageLite request;
  private final Calls.Entry entry;
  private final Span span = Flight.rpc();

  /** Bytes that it holds of the server's budget. */
  long memory;

  // What an attempt has come to.
  private Optional<? extends MessageLite> answer = Optional.empty();
  private Optional<Throwable> failure = Optional.empty();

  /** Its deadline, to be cancelled when the handler has ended. */
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

  /** Whether the thread that reads has the outcome: of a method that never waits, or an attempt that did not. */
  boolean prompt() {
    if (call.immediate()) {
      return true;
    }
    if (Threads.inTurns()) {
      return false; // where threads are to be scarce they are
    }
    try {
      answer = method.attempt(call, request);
    } catch (Throwable e) {
      failure = Optional.of(e);
    }
    return answer.isPresent() || failure.isPresent();
  }

  /** Runs the handler, if need be, and encodes its reply; throws what becomes an error status. */
  byte[] reply() throws Throwable {
    if (failure.isPresent()) {
      throw failure.get();
    }
    MessageLite reply = answer.isPresent() ? answer.get() : handled();
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

  private MessageLite handled() throws Exception {
    return call.immediate() ? method.handle(call, request) : handleInTurn();
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

  /** Counts the call, which has ended with {@code code}, and ends its JFR event. */
  private void ended(Code code) {
    method.latency().record(System.nanoTime() - call.startNanos(), code == Code.OK);
    if (span != Span.NONE) {
      for (String parent : call.metadata("traceparent")) {
        span.within(parent);
      }
      span.end(call.method(), call.subject(), code.name());
    }
  }
}
