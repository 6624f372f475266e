package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.errors.StatusException;
import java.io.IOException;
import java.util.concurrent.locks.Condition;

/** A call of a {@link ManyCallsClient} that waits for its reply. Guarded by the lock of the client. */
final class Pending<R extends MessageLite> {
  /** The id of a call that has not been written. */
  static final long UNSENT = 0;

  private final byte[] frame;
  private final Parser<R> parser;
  private final Condition changed;
  private long id = UNSENT;
  private R reply;
  private StatusException error;
  private ClosedException closed;

  Pending(byte[] frame, Parser<R> parser, Condition changed) {
    this.frame = frame;
    this.parser = parser;
    this.changed = changed;
  }

  Parser<R> parser() {
    return parser;
  }

  /** Returns the condition that is signalled when the call is {@link #done}. */
  Condition changed() {
    return changed;
  }

  long id() {
    return id;
  }

  /** Numbers the request and returns its frame, which the caller writes next. */
  byte[] send(long id) {
    this.id = id;
    Frame.number(frame, id);
    return frame;
  }

  boolean done() {
    return reply != null || error != null || closed != null;
  }

  void succeed(R reply) {
    if (!done()) {
      this.reply = reply;
      changed.signal();
    }
  }

  void fail(StatusException error) {
    if (!done()) {
      this.error = error;
      changed.signal();
    }
  }

  void fail(ClosedException closed) {
    if (!done()) {
      this.closed = closed;
      changed.signal();
    }
  }

  /** Returns the reply or throws the error of a call that is done; each caller gets a stack trace of its own. */
  R result() throws IOException {
    if (error != null) {
      throw new StatusException(error.code(), error.getMessage(), error.getCause());
    }
    if (closed != null) {
      throw new ClosedException(closed);
    }
    return reply;
  }
}
