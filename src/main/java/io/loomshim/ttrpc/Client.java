package io.loomshim.ttrpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.proto.ttrpc.Response;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;

/**
 * A ttrpc client on one connection to a Unix-domain socket (docs/PROTOCOL.md), for one call at a time.
 *
 * <p>The calling thread writes the request and reads the reply. A call that is late or interrupted closes the
 * connection, since nothing else ends a read or write that is under way; so does whatever leaves a frame half read.
 * All fields are of the thread that calls, one at a time; {@link #close} and {@link #closed} may be called from any.
 */
public final class Client implements AutoCloseable {
  /** For {@link #call}: wait for as long as it takes. */
  public static final Duration NO_TIMEOUT = Duration.ZERO;

  /** The last stream id, 32 bits and odd. A client that reaches it is closed, after 2 billion calls. */
  static final long ID_MAX = 0xffff_ffffL;

  private final SocketChannel channel;
  private final FrameReader reader;
  private final FrameWriter writer;
  private final Deadlines deadlines;
  private long nextId = 1;

  private Client(SocketChannel channel, String name) {
    this.channel = channel;
    this.reader = new FrameReader(channel, Budget.UNLIMITED);
    this.writer = new FrameWriter(channel);
    this.deadlines = new Deadlines("deadlines/" + name);
  }

  /**
   * Connects, waiting up to {@code timeout} for the socket to appear and for room in its queue.
   *
   * @throws IOException if that fails; an interrupt ends it with {@link java.nio.channels.ClosedByInterruptException}
   *     or {@link java.io.InterruptedIOException}, the thread still marked as interrupted
   */
  public static Client connect(Path socket, Duration timeout) throws IOException {
    return new Client(Dial.connect(socket, timeout), String.valueOf(socket.getFileName()));
  }

  /**
   * Calls a method and waits for the reply.
   *
   * @param timeout for the whole call, also told to the server; {@link #NO_TIMEOUT} for none
   * @param metadata sent along, keys in lower case
   * @throws StatusException the error that the server answered; DEADLINE_EXCEEDED when the timeout has passed, the
   *     connection is gone then; RESOURCE_EXHAUSTED when request or reply is longer than 4 MiB; INTERNAL when the reply
   *     is not an R
   * @throws ClosedException when the connection is gone, whether or not the call had arrived
   * @throws InterruptedException when interrupted; the connection is gone then, unless that was before the call
   */
  public <R extends MessageLite> R call(String service, String method, MessageLite request, Parser<R> parser,
      Duration timeout, Map<String, String> metadata) throws IOException, InterruptedException {
    long nanos = nanos(timeout);
    if (nanos < 0) {
      throw late();
    }
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    byte[] frame = Frame.request(service, method, request, nanos, metadata);
    exchange(frame, nanos);
    if (reader.tooLong()) {
      throw new StatusException(Code.RESOURCE_EXHAUSTED, Frame.tooLong(reader.length()));
    }
    return decode(parser);
  }

  /** Sends a request and waits until the reply is in the reader, or else closes the connection. */
  private void exchange(byte[] frame, long nanos) throws ClosedException, InterruptedException {
    var limit = new Limit();
    Optional<Future<?>> deadline = nanos == 0 ? Optional.empty() : Optional.of(deadlines.in(nanos, limit));
    boolean complete = false;
    try {
      long id = number(frame);
      writer.write(frame);
      await(id);
      complete = true;
    } catch (ClosedByInterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    } catch (IOException e) {
      if (limit.passed) {
        throw late();
      }
      throw new ClosedException(e);
    } finally {
      if (deadline.isPresent()) {
        deadline.get().cancel(false);
      }
      if (!complete) {
        close();
      }
    }
  }

  private long number(byte[] frame) throws IOException {
    if (nextId > ID_MAX) {
      throw new EOFException("no stream id is left");
    }
    long id = nextId;
    nextId += 2;
    Frame.number(frame, id);
    return id;
  }

  /** Reads until the frame is the reply to call {@code id}. */
  private void await(long id) throws IOException {
    while (reader.next()) {
      if (reader.id() == id && (reader.type() == Frame.RESPONSE || reader.tooLong())) {
        return;
      }
      Log.debug("ttrpc: frame ignored", "id", Long.toString(reader.id()));
    }
    throw new EOFException();
  }

  private <R extends MessageLite> R decode(Parser<R> parser) {
    try {
      var data = UnsafeByteOperations.unsafeWrap(reader.data(), reader.offset(), (int) reader.length());
      var input = data.newCodedInput();
      input.enableAliasing(true);
      Response response = Response.parser().parseFrom(input);
      var status = response.getStatus();
      if (status.getCode() != Code.OK.number()) {
        throw new StatusException(Code.of(status.getCode()), status.getMessage());
      }
      return parser.parseFrom(response.getPayload());
    } catch (InvalidProtocolBufferException e) {
      throw new StatusException(Code.INTERNAL, "ttrpc: error unmarshalling reply: " + e.getMessage(), e);
    }
  }

  /** Tells whether the connection is known to be gone; every further call ends with {@link ClosedException}. */
  public boolean closed() {
    return !channel.isOpen();
  }

  /** Closes the connection; a call that is under way ends with {@link ClosedException}. Can be repeated. */
  @Override
  public void close() {
    closeChannel();
    deadlines.close();
  }

  private void closeChannel() {
    try {
      channel.close();
    } catch (IOException e) {
      Log.debug("ttrpc: close failed", "error", e.toString());
    }
  }

  static StatusException late() {
    return new StatusException(Code.DEADLINE_EXCEEDED, "context deadline exceeded");
  }

  /** Returns {@code timeout} in nanoseconds, saturated to what {@link System#nanoTime} can tell apart. */
  static long nanos(Duration timeout) {
    if (timeout.isNegative()) {
      return -1;
    }
    boolean huge = timeout.toSeconds() >= Deadlines.TIMEOUT_NANOS_MAX / 1_000_000_000L;
    return huge ? Deadlines.TIMEOUT_NANOS_MAX : timeout.toNanos();
  }

  /** The end of one call's time; runs on the thread for deadlines. */
  private final class Limit implements Runnable {
    private volatile boolean passed;

    @Override
    public void run() {
      passed = true;
      closeChannel();
    }
  }
}
