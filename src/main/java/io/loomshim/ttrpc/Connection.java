package io.loomshim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.UnsafeByteOperations;
import io.loomshim.log.Log;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.threads.NoThreadException;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One connection of a {@link Server}. One virtual thread at a time reads it ({@code conn/c3}): the one that has read a
 * request starts its successor, takes the name of the call ({@code rpc/State/c3}), runs the handler and writes the
 * reply. So each call has a thread of its own, and a request is served without waiting for a thread to be scheduled.
 * A call whose handler never waits is answered before the thread reads on, with no successor; a client that sends the
 * next request meanwhile waits as long as it would for any thread.
 * What one reader did happens-before what the next one does, as it starts it.
 *
 * <p>{@code lock} guards the list of calls and their states. A call is interrupted only under the lock and only
 * while RUNNING; its thread leaves RUNNING under the lock before it writes, so no interrupt can hit the write
 * (which would close the channel) or come later.
 */
final class Connection implements Runnable {
  /**
   * Calls in flight, replies being written included: one connection cannot make the heap grow without bound.
   * Past it nothing is read from the connection until a call ends, so the loss of the peer is then noticed only
   * when a reply is written. Far above what containerd needs: a Wait per process and a few calls.
   */
  static final int CALLS_MAX = 4096;

  /** Calls in flight of a client that others shall not keep from being served: Wait, and what it asks meanwhile. */
  static final int MODEST_CALLS_MAX = 4;

  /** What a call that waits takes: the stack of its thread (3.2 KB in a Wait) and its request; 3.9 KB was seen. */
  static final int CALL_BYTES = 4096;

  /** Replies that are not counted one by one. */
  private static final int SMALL_REPLY_BYTES = 128;

  private final Server server;
  private final SocketChannel channel;
  private final long number;
  private final String name;
  private final FrameReader reader;
  private final FrameWriter writer;

  // Of the thread that reads, like the reader.
  private boolean trusted;
  private long lastId;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition slotFree = lock.newCondition();
  private Call calls;
  private int count;
  private boolean closed;

  Connection(Server server, SocketChannel channel, long number) {
    this.server = server;
    this.channel = channel;
    this.number = number;
    this.name = "conn/c" + number;
    this.reader = new FrameReader(channel, server.memory());
    this.writer = new FrameWriter(channel);
  }

  /** Reads the connection until it ends or gives a request that may have to wait, which is then served. */
  @Override
  public void run() {
    Optional<Call> call = read();
    while (call.isPresent() && call.get().immediate()) {
      run(call.get());
      Thread.currentThread().setName(name);
      call = read();
    }
    if (call.isEmpty()) {
      reader.release();
      close();
      return;
    }
    startSuccessor();
    run(call.get());
  }

  private Optional<Call> read() {
    try {
      return trusted() ? nextCall() : Optional.empty();
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

  long number() {
    return number;
  }

  /** Ends the connection: calls in flight are interrupted, their replies dropped. */
  void close() {
    lock.lock();
    try {
      closed = true;
      for (Call call = calls; call != null; call = call.next) {
        cancelLocked(call, Call.Cancel.GONE);
      }
      slotFree.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      channel.close();
    } catch (IOException e) {
      Log.debug("ttrpc: close failed", "connection", Long.toString(number), "error", e.toString());
    }
    server.forget(this);
  }

  /** Interrupts {@code call} if its handler runs and has not been interrupted yet. */
  void cancel(Call call, Call.Cancel why) {
    lock.lock();
    try {
      cancelLocked(call, why);
    } finally {
      lock.unlock();
    }
  }

  private final class Late implements Runnable {
    private final Call call;

    private Late(Call call) {
      this.call = call;
    }

    @Override
    public void run() {
      cancel(call, Call.Cancel.DEADLINE);
    }
  }

  /** Adds the calls in flight to {@code to}, the latest first. */
  void addCallsTo(List<Call> to) {
    lock.lock();
    try {
      for (Call call = calls; call != null; call = call.next) {
        to.add(call);
      }
    } finally {
      lock.unlock();
    }
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

  /** Reads until a request is to be served; empty at the end of the connection. */
  private Optional<Call> nextCall() throws IOException {
    while (reader.next()) {
      long id = reader.id();
      if (reader.tooLong()) {
        refuse(id, Code.RESOURCE_EXHAUSTED, Frame.tooLong(reader.length()));
      } else if (reader.crowded()) {
        refuse(id, Code.RESOURCE_EXHAUSTED, "no room for a request of " + reader.length() + " bytes beside others");
      } else if ((id & 1) == 0) {
        refuse(id, Code.INVALID_ARGUMENT, "StreamID must be odd for client initiated streams");
      } else if (reader.type() != Frame.REQUEST) {
        Log.debug("ttrpc: frame ignored", "type", Byte.toString(reader.type()));
      } else if (id <= lastId) {
        refuse(id, Code.INVALID_ARGUMENT, "StreamID cannot be re-used and must increment");
      } else {
        lastId = id;
        Optional<Call> call = accept(id);
        if (call.isPresent() && admitted(call.get())) {
          return begin(call.get()) ? call : Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  /** Takes the memory of a call; false when there is none left and it has been refused. */
  private boolean admitted(Call call) throws IOException {
    if (call.immediate()) {
      return true; // it is over before the next one is read
    }
    Budget memory = server.memory();
    boolean modest = inFlight() < MODEST_CALLS_MAX;
    if (modest ? memory.takeModestly(CALL_BYTES) : memory.take(CALL_BYTES)) {
      call.memory = CALL_BYTES + reader.hand();
      return true;
    }
    refuse(call.id(), Code.RESOURCE_EXHAUSTED, "too many calls in flight");
    return false;
  }

  private int inFlight() {
    lock.lock();
    try {
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** Decodes the request in the current frame; empty when it has been refused. */
  private Optional<Call> accept(long id) throws IOException {
    try {
      Request request = decode();
      Optional<Service> service = server.find(request.getService());
      if (service.isEmpty()) {
        return refuse(id, Code.UNIMPLEMENTED, "service " + request.getService());
      }
      Optional<Method<?>> method = service.get().find(request.getMethod());
      if (method.isEmpty()) {
        return refuse(id, Code.UNIMPLEMENTED, "method " + request.getMethod());
      }
      return accept(id, request, method.get());
    } catch (InvalidProtocolBufferException e) {
      return refuse(id, Code.INVALID_ARGUMENT, "unmarshal request error: " + e.getMessage());
    }
  }

  private Optional<Call> accept(long id, Request request, Method<?> method) throws IOException {
    MessageLite message;
    try {
      message = method.decode(request.getPayload());
    } catch (InvalidProtocolBufferException e) {
      return refuse(id, Code.INTERNAL, "ttrpc: error unmarshalling payload: " + e.getMessage());
    }
    return Optional.of(new Call(this, method, id, message, request.getMetadataList(), request.getTimeoutNano()));
  }

  /** Decodes the envelope; its payload is a view of the reader's memory and must be decoded before the next frame. */
  private Request decode() throws InvalidProtocolBufferException {
    ByteString data = UnsafeByteOperations.unsafeWrap(reader.data(), reader.offset(), (int) reader.length());
    var input = data.newCodedInput();
    input.enableAliasing(true);
    return Request.parser().parseFrom(input);
  }

  /** Makes this thread that of {@code call}, once there is room for it; false when the connection is closed. */
  private boolean begin(Call call) {
    Thread.currentThread().setName("rpc/" + call.method() + "/c" + number);
    if (!enter(call)) {
      server.memory().give(call.memory);
      return false;
    }
    if (call.hasDeadline() && !call.immediate()) {
      long nanos = call.deadlineNanos() - call.startNanos();
      if (nanos <= 0) {
        cancel(call, Call.Cancel.DEADLINE);
      } else {
        call.deadline = Optional.of(server.deadlines().in(nanos, new Late(call)));
      }
    }
    if (server.stuck().isPresent()) {
      server.stuck().get().entered(call);
    }
    return true;
  }

  /** Does the call; on its own thread. */
  private void run(Call call) {
    boolean answered = false;
    try {
      byte[] frame = outcome(call);
      if (frame.length > SMALL_REPLY_BYTES && !call.immediate()) {
        server.memory().charge(frame.length);
        call.memory += frame.length;
      }
      endHandling(call);
      if (mayReply()) {
        writer.write(frame);
      }
      answered = true;
    } catch (IOException e) {
      Log.debug("ttrpc: reply not written", "call", call.toString(), "error", e.toString());
    } finally {
      leave(call);
      server.memory().give(call.memory);
      if (!answered) {
        close();
      }
    }
  }

  /** Runs the handler and encodes its reply or error. */
  private byte[] outcome(Call call) {
    try {
      MessageLite reply = call.immediate() ? call.handle() : handleInTurn(call);
      if (reply == null) {
        throw new StatusException(Code.UNKNOWN, "ttrpc: marshal called with nil");
      }
      byte[] frame = Frame.reply(call.id(), reply);
      call.ended(Code.OK);
      return frame;
    } catch (Throwable e) {
      return failure(call, e);
    }
  }

  /**
   * Encodes an error. To lose the connection for want of memory would be worse than to lose the words: containerd takes
   * a container whose connection is lost for dead.
   */
  private byte[] failure(Call call, Throwable error) {
    try {
      server.errors().logDefect(call, error);
      StatusException status = server.errors().status(error, call.cancel);
      call.ended(status.code());
      return Frame.error(call.id(), status.code(), status.getMessage());
    } catch (OutOfMemoryError e) {
      return Frame.error(call.id(), Code.RESOURCE_EXHAUSTED, "out of memory");
    }
  }

  private static MessageLite handleInTurn(Call call) throws Exception {
    try {
      Threads.beginCall();
    } catch (NoThreadException e) {
      throw new StatusException(Code.RESOURCE_EXHAUSTED, e.getMessage(), e);
    }
    try {
      return call.handle();
    } finally {
      Threads.endCall();
    }
  }

  /** After this nobody interrupts the thread of the call, and an interrupt that came is forgotten. */
  private void endHandling(Call call) {
    lock.lock();
    try {
      call.state = Call.State.REPLYING;
    } finally {
      lock.unlock();
    }
    Thread.interrupted();
    if (call.deadline.isPresent()) {
      call.deadline.get().cancel(false);
    }
  }

  private boolean mayReply() {
    lock.lock();
    try {
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private Optional<Call> refuse(long id, Code code, String text) throws IOException {
    writer.write(Frame.error(id, code, text));
    return Optional.empty();
  }

  /** Waits for a free slot and lists the call; false when the connection is closed. */
  private boolean enter(Call call) {
    lock.lock();
    try {
      while (count >= CALLS_MAX && !closed) {
        slotFree.awaitUninterruptibly();
      }
      if (closed) {
        return false;
      }
      count++;
      call.next = calls;
      if (calls != null) {
        calls.previous = call;
      }
      calls = call;
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void leave(Call call) {
    lock.lock();
    try {
      call.state = Call.State.DONE;
      if (call.previous == null) {
        calls = call.next;
      } else {
        call.previous.next = call.next;
      }
      if (call.next != null) {
        call.next.previous = call.previous;
      }
      if (count-- == CALLS_MAX) {
        slotFree.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private void cancelLocked(Call call, Call.Cancel why) {
    assert lock.isHeldByCurrentThread();
    if (call.state == Call.State.RUNNING && call.cancel == Call.Cancel.NOT) {
      call.cancel = why;
      call.thread.interrupt();
    }
  }
}
