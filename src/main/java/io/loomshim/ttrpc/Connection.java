package io.loomshim.ttrpc;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * One connection of a server. One virtual thread at a time reads it ({@code conn/c3}). A thread that has read a request
 * starts its successor, takes the name of the call ({@code rpc/State/c3}), runs the handler and writes the reply. So
 * each call has a thread of its own, and a request is served without waiting for a thread to be scheduled. A call that
 * need not wait is answered before the thread reads on, and needs no successor; a client that sends the next
 * request meanwhile waits as long as it would for any thread. What one reader did happens-before what its successor
 * does, because the one starts the other.
 */
final class Connection implements Runnable {
  /** Replies up to this size are not counted one by one. */
  private static final int SMALL_REPLY_BYTES = 128;

  private final Shared shared;
  private final Set<Connection> open;
  private final Line line;
  private final long number;
  private final String name;
  private final Calls calls = new Calls();
  private final FrameWriter writer;

  // Of the thread that reads.
  private final Intake intake;
  private boolean trusted;
  private int row; // calls that came soon one after the other
  private long came; // the last of them

  /** The caller adds it to {@code open}; {@link #close} removes it. */
  Connection(Shared shared, Set<Connection> open, Line line) {
    this.shared = shared;
    this.open = open;
    this.line = line;
    this.number = line.number();
    this.name = "conn/c" + number;
    this.writer = new FrameWriter(line);
    this.intake = new Intake(shared, number, calls, new FrameReader(line, shared.memory()), writer);
    shared.inFlight().add(calls);
  }

  /** Goes on with a connection of an earlier server: answers its calls, each on a thread of its own, and reads on. */
  void resume(Redo redo) {
    trusted = true;
    for (Line.Pending call : line.pending()) {
      Threads.start("rpc/resumed/c" + number, () -> answer(call, redo));
    }
    Threads.start(name, this);
  }

  private void answer(Line.Pending pending, Redo redo) {
    try {
      byte[] reply = pending.reply();
      if (reply.length == 0) {
        Optional<Exchange> exchange = intake.again(pending.id(), pending.request(), redo);
        if (exchange.isPresent() && begin(exchange.get())) {
          serve(exchange.get());
          return;
        }
        reply = Frame.error(pending.id(), Code.UNAVAILABLE, Redo.IN_DOUBT);
        line.replying(pending.id(), reply);
      }
      writer.write(reply);
      line.answered(pending.id());
    } catch (IOException e) {
      Log.debug("ttrpc: reply not written", "connection", Long.toString(number), "error", e.toString());
      close();
    }
  }

  /** Reads until the connection ends or a request comes that may have to wait, and serves that one. */
  @Override
  public void run() {
    Optional<Exchange> next = read();
    while (next.isPresent() && next.get().prompt()) {
      serve(next.get());
      Thread.currentThread().setName(name);
      row = inRow(next.get()) ? row + 1 : 0;
      if (row >= Lane.CALLS_MIN && Lane.alone(number, came) && Lane.start(name, this::onLane)) {
        return;
      }
      next = read();
    }
    finish(next);
  }

  /** The same on the thread of {@link Lane}, until the connection is not busy any more. */
  private void onLane() {
    try {
      Optional<Exchange> next = read();
      while (next.isPresent() && inRow(next.get()) && Lane.alone(number, came) && next.get().prompt()) {
        serve(next.get());
        Thread.currentThread().setName(name);
        next = read();
      }
      row = 0;
      finish(next);
    } finally {
      Lane.end();
    }
  }

  /** Whether the request has come soon after the one before; to be called once for each. */
  private boolean inRow(Exchange exchange) {
    long before = came;
    came = exchange.call().startNanos();
    return came - before < Lane.PAUSE_NANOS_MAX;
  }

  /** Has another thread read on, and serves the last request that this one has read. */
  private void finish(Optional<Exchange> last) {
    if (last.isEmpty()) {
      intake.release();
      close();
      return;
    }
    boolean first = last.get().call().immediate(); // it stands in the socket until it is answered
    if (first) {
      serve(last.get());
    }
    startSuccessor();
    if (!first) {
      serve(last.get());
    }
  }

  private Optional<Exchange> read() {
    try {
      Optional<Exchange> next = trusted() ? intake.next() : Optional.empty();
      if (next.isEmpty() || !begin(next.get())) {
        return Optional.empty();
      }
      if (!next.get().call().immediate()) {
        line.begun(next.get().call().id(), next.get().call().endless());
      }
      return next;
    } catch (IOException e) {
      Log.debug("ttrpc: connection lost", "connection", Long.toString(number), "error", e.toString());
    } catch (RuntimeException | Error e) {
      Log.error("ttrpc: connection failed", "connection", Long.toString(number), "error", e.toString());
    }
    return Optional.empty();
  }

  private void startSuccessor() {
    try {
      Threads.start(name, this);
    } catch (OutOfMemoryError e) {
      close();
      Log.error("ttrpc: connection failed", "connection", Long.toString(number), "error", e.toString());
    }
  }

  /** Ends the connection: interrupts the calls in flight and drops their replies. From any thread. */
  void close() {
    calls.close();
    try {
      line.close();
    } catch (IOException e) {
      Log.debug("ttrpc: close failed", "connection", Long.toString(number), "error", e.toString());
    }
    shared.inFlight().remove(calls);
    open.remove(this);
  }

  private boolean trusted() throws IOException {
    if (trusted) {
      return true;
    }
    Optional<String> stranger = line.stranger();
    if (stranger.isEmpty()) {
      trusted = true;
      return true;
    }
    Log.warn("ttrpc: invalid credentials: operation not permitted", "peer", stranger.get());
    return false;
  }

  /** Waits for room for the call and gives this thread its name; false when the connection is closed. */
  private boolean begin(Exchange exchange) {
    Call call = exchange.call();
    Thread.currentThread().setName("rpc/" + call.method() + "/c" + number);
    if (!shared.gate().enter(calls, exchange.entry(), line)) {
      shared.memory().give(exchange.memory);
      return false;
    }
    boolean begun = false;
    try {
      if (call.hasDeadline() && !call.immediate()) {
        limit(exchange);
      }
      if (shared.stuck().isPresent()) {
        shared.stuck().get().entered(call);
      }
      begun = true;
    } finally {
      if (!begun) {
        end(exchange);
      }
    }
    return true;
  }

  private void limit(Exchange exchange) {
    long nanos = exchange.call().timeoutNanos();
    if (nanos <= 0) {
      calls.late(exchange.entry());
    } else {
      exchange.deadline = Optional.of(shared.deadlines().in(nanos, new Late(exchange.entry())));
    }
  }

  /** The deadline of a call; runs on the thread for deadlines. */
  private final class Late implements Runnable {
    private final Calls.Entry entry;

    private Late(Calls.Entry entry) {
      this.entry = entry;
    }

    @Override
    public void run() {
      calls.late(entry);
    }
  }

  /** Does the call, on the thread of the call. */
  private void serve(Exchange exchange) {
    boolean answered = false;
    try {
      byte[] frame = outcome(exchange);
      if (frame.length > SMALL_REPLY_BYTES && !exchange.call().immediate()) {
        shared.memory().charge(frame.length);
        exchange.memory += frame.length;
      }
      if (endHandling(exchange)) {
        if (!exchange.call().immediate()) {
          line.replying(exchange.call().id(), frame);
        }
        writer.write(frame);
      }
      if (!exchange.call().immediate()) {
        line.answered(exchange.call().id());
      }
      answered = true;
    } catch (IOException e) {
      Log.debug("ttrpc: reply not written", "call", exchange.call().toString(), "error", e.toString());
    } finally {
      end(exchange);
      if (!answered) {
        close();
      }
    }
  }

  private void end(Exchange exchange) {
    calls.leave(exchange.entry());
    shared.memory().give(exchange.memory);
  }

  private byte[] outcome(Exchange exchange) {
    try {
      return exchange.reply();
    } catch (Throwable e) {
      return failure(exchange, e);
    }
  }

  /**
   * Encodes an error. When there is no memory, it loses the text rather than the connection: containerd takes a
   * container whose connection is lost for dead.
   */
  private byte[] failure(Exchange exchange, Throwable error) {
    try {
      StatusException status = shared.errors().status(error, calls.wasLate(exchange.entry()));
      shared.errors().logDefect(exchange.call(), error, status);
      return exchange.error(status);
    } catch (OutOfMemoryError e) {
      return Frame.error(exchange.call().id(), Code.RESOURCE_EXHAUSTED, "out of memory");
    }
  }

  /** After this the thread of the call is not interrupted any more, and an interrupt that came before is cleared. */
  private boolean endHandling(Exchange exchange) {
    boolean wanted = calls.replies(exchange.entry());
    Thread.interrupted();
    if (exchange.deadline.isPresent()) {
      exchange.deadline.get().cancel(false);
    }
    return wanted;
  }
}
