package io.loomshim.ttrpc;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.Set;

/**
 * One connection of a server. One virtual thread at a time reads it ({@code conn/c3}): the one that has read a
 * request starts its successor, takes the name of the call ({@code rpc/State/c3}), runs the handler and writes the
 * reply. So each call has a thread of its own, and a request is served without waiting for a thread to be scheduled.
 * A call whose handler never waits is answered before the thread reads on, with no successor; a client that sends the
 * next request meanwhile waits as long as it would for any thread.
 * What one reader did happens-before what the next one does, as it starts it.
 */
final class Connection implements Runnable {
  /** Replies that are not counted one by one. */
  private static final int SMALL_REPLY_BYTES = 128;

  private final Shared shared;
  private final Set<Connection> open;
  private final SocketChannel channel;
  private final long number;
  private final String name;
  private final Calls calls = new Calls();
  private final FrameWriter writer;

  // Of the thread that reads.
  private final Intake intake;
  private boolean trusted;

  /** The caller enters it into {@code open}, which it leaves when it is closed. */
  Connection(Shared shared, Set<Connection> open, SocketChannel channel, long number) {
    this.shared = shared;
    this.open = open;
    this.channel = channel;
    this.number = number;
    this.name = "conn/c" + number;
    this.writer = new FrameWriter(channel);
    this.intake = new Intake(shared, number, calls, new FrameReader(channel, shared.memory()), writer);
    shared.inFlight().add(calls);
  }

  /** Reads the connection until it ends or gives a request that may have to wait, which is then served. */
  @Override
  public void run() {
    Optional<Exchange> next = read();
    while (next.isPresent() && next.get().call().immediate()) {
      serve(next.get());
      Thread.currentThread().setName(name);
      next = read();
    }
    if (next.isEmpty()) {
      intake.release();
      close();
      return;
    }
    startSuccessor();
    serve(next.get());
  }

  private Optional<Exchange> read() {
    try {
      Optional<Exchange> next = trusted() ? intake.next() : Optional.empty();
      return next.isPresent() && begin(next.get()) ? next : Optional.empty();
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

  /** Ends the connection: calls in flight are interrupted, their replies dropped. From any thread. */
  void close() {
    calls.close();
    try {
      channel.close();
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
    Credentials peer = Credentials.of(channel);
    if (peer.same(Credentials.own())) {
      trusted = true;
      return true;
    }
    Log.warn("ttrpc: invalid credentials: operation not permitted",
        "user", peer.user().getName(), "group", peer.group().getName());
    return false;
  }

  /** Makes this thread that of the call, once there is room for it; false when the connection is closed. */
  private boolean begin(Exchange exchange) {
    Call call = exchange.call();
    Thread.currentThread().setName("rpc/" + call.method() + "/c" + number);
    if (!calls.enter(exchange.entry())) {
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

  /** The end of a call's time; runs on the thread for deadlines. */
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

  /** Does the call; on its own thread. */
  private void serve(Exchange exchange) {
    boolean answered = false;
    try {
      byte[] frame = outcome(exchange);
      if (frame.length > SMALL_REPLY_BYTES && !exchange.call().immediate()) {
        shared.memory().charge(frame.length);
        exchange.memory += frame.length;
      }
      if (endHandling(exchange)) {
        writer.write(frame);
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
   * Encodes an error. To lose the connection when there is no memory would be worse than to lose the words: containerd
   * takes a container whose connection is lost for dead.
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

  /** After this nobody interrupts the thread of the call, and an interrupt that came is forgotten. */
  private boolean endHandling(Exchange exchange) {
    boolean wanted = calls.replies(exchange.entry());
    Thread.interrupted();
    if (exchange.deadline.isPresent()) {
      exchange.deadline.get().cancel(false);
    }
    return wanted;
  }
}
