package io.loomshim.ttrpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.metrics.Budget;
import io.loomshim.proto.ttrpc.Response;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * A ttrpc client on one connection to a Unix-domain socket (docs/PROTOCOL.md), for one call at a time.
 *
 * <p>The calling thread writes the request and reads the reply. A call that is late or interrupted closes the
 * connection, because nothing else ends a read or write that is under way. So does every failure within a frame. All
 * fields belong to the calling thread, one at a time; {@link #close} and {@link #closed} may be called from any thread.
 */
public final class Client implements AutoCloseable {
  /** For {@link #call}: wait without a limit. */
  public static final Duration NO_TIMEOUT = Duration.ZERO;

  /** The last stream id, 32 bits and odd. A client is closed when it reaches it, after 2 billion calls. */
  static final long ID_MAX = 0xffff_ffffL;

  private final ByteChannel stream;
  private final FrameReader reader;
  private final FrameWriter writer;
  private final Deadlines deadlines;
  private final ClientLimit limit;
  private long nextId = 1;

  private Client(ByteChannel stream, String name) {
    this.stream = stream;
    this.reader = new FrameReader(stream, Budget.UNLIMITED);
    this.writer = new FrameWriter(stream);
    this.deadlines = new Deadlines("deadlines/" + name);
    this.limit = new ClientLimit(deadlines, new Late());
  }

  /**
   * Makes a client that owns {@code stream}, whose close wakes a thread that reads or writes.
   *
   * @param name what the thread for its deadlines is named after
   */
  public static Client over(ByteChannel stream, String name) {
    return new Client(stream, name);
  }

  /**
   * Connects. Waits up to {@code timeout} for the socket to appear and for room in its queue.
   *
   * @throws IOException if that fails; an interrupt ends it with {@link java.io.InterruptedIOException}, and the thread
   *     stays interrupted
   */
  public static Client connect(Path socket, Duration timeout) throws IOException {
    return new Client(Dial.connect(socket, timeout), String.valueOf(socket.getFileName()));
  }

  /**
   * Calls a method and waits for the reply.
   *
   * @param timeout for the whole call, also sent to the server; {@link #NO_TIMEOUT} for none
   * @param metadata sent with the request, keys in lower case
   * @throws StatusException the error that the server answered; DEADLINE_EXCEEDED when the timeout has passed, and the
   *     connection is closed then; RESOURCE_EXHAUSTED when request or reply is longer than 4 MiB; INTERNAL when the
   *     reply is not an R
   * @throws ClosedException when the connection is closed, whether or not the call had arrived
   * @throws InterruptedException when interrupted; the connection is closed then, unless that was before the call
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

  /** Sends a request and waits until the reply is in the reader; closes the connection when that fails. */
  private void exchange(byte[] frame, long nanos) throws ClosedException, InterruptedException {
    boolean complete = false;
    limit.begin(nanos);
    try {
      long id = number(frame);
      writer.write(frame);
      await(id);
      complete = true;
    } catch (ClosedByInterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    } catch (IOException e) {
      if (limit.end()) {
        throw late();
      }
      throw new ClosedException(e);
    } finally {
      limit.end();
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

  /** Tells whether the connection is known to be closed; then every call ends with {@link ClosedException}. */
  public boolean closed() {
    return !stream.isOpen();
  }

  /** Closes the connection; a call that is under way ends with {@link ClosedException}. Can be repeated. */
  @Override
  public void close() {
    closeStream();
    deadlines.close();
  }

  private void closeStream() {
    try {
      stream.close();
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

  /** What happens to a call that is late. */
  private final class Late implements Runnable {
    @Override
    public void run() {
      closeStream();
    }
  }
}
