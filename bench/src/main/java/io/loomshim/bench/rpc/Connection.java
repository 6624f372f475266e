package io.loomshim.bench.rpc;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.proto.ttrpc.Response;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One connection to a shim, on which any number of threads may call at once, as containerd does it. Callers write
 * their requests themselves; a thread of this connection reads the answers and hands them out by their streams.
 * {@code sending} keeps frames whole, and in the order of their streams.
 */
final class Connection implements AutoCloseable {
  private final SocketChannel channel;
  private final ReentrantLock sending = new ReentrantLock();
  private final Map<Integer, CompletableFuture<Response>> calls = new ConcurrentHashMap<>();
  private int nextStream = 1;
  private volatile ClosedException closed;

  private Connection(SocketChannel channel) {
    this.channel = channel;
  }

  static Connection open(Path socket) throws IOException {
    var connection = new Connection(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
    Thread.ofPlatform().daemon().name("answers/" + socket.getFileName()).start(connection::read);
    return connection;
  }

  /**
   * Calls a method of the task service and waits for its answer. An interrupt while it is sent closes the connection.
   *
   * @param limit for the whole call, also told to the shim
   * @throws CallException when the answer is an error, or there is none within {@code limit}
   * @throws ClosedException when the connection is gone, whether or not the call had arrived
   */
  <R extends MessageLite> R call(String method, MessageLite request, Parser<R> parser, Duration limit)
      throws IOException, InterruptedException {
    ByteBuffer frame = Frame.request(0, method, request, limit);
    var answer = new CompletableFuture<Response>();
    int stream = send(frame, answer);
    try {
      Response response = answer.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      var status = response.getStatus();
      if (status.getCode() != 0) {
        throw new CallException(status.getCode(), status.getMessage());
      }
      return parser.parseFrom(response.getPayload());
    } catch (TimeoutException e) {
      throw new CallException(CallException.DEADLINE_EXCEEDED,
          "no answer to " + method + " within " + limit.toSeconds() + " s");
    } catch (ExecutionException e) {
      throw new ClosedException(e.getCause());
    } finally {
      calls.remove(stream);
    }
  }

  /** Sends a request on the next stream, which it returns. */
  private int send(ByteBuffer frame, CompletableFuture<Response> answer) throws ClosedException {
    sending.lock();
    try {
      int stream = nextStream;
      nextStream += 2;
      calls.put(stream, answer);
      frame.putInt(Frame.STREAM_OFFSET, stream);
      while (frame.hasRemaining()) {
        channel.write(frame);
      }
      if (closed != null) { // the reader may have failed all calls before this one was among them
        throw closed;
      }
      return stream;
    } catch (ClosedException e) {
      throw e;
    } catch (IOException e) {
      throw new ClosedException(e);
    } finally {
      sending.unlock();
    }
  }

  private void read() {
    var header = ByteBuffer.allocate(Frame.HEADER_BYTES);
    Exception end = null;
    try {
      while (filled(header)) {
        var data = ByteBuffer.allocate(header.getInt(0));
        if (!filled(data)) {
          break;
        }
        CompletableFuture<Response> call = calls.get(header.getInt(Frame.STREAM_OFFSET));
        Response response = Response.parser().parseFrom(data.flip());
        if (call != null) {
          call.complete(response);
        }
        header.clear();
      }
    } catch (IOException | RuntimeException e) {
      end = e;
    }
    closed = new ClosedException(end);
    calls.values().forEach(call -> call.completeExceptionally(closed));
  }

  /** Reads until {@code buffer} is full; false if the other side has closed the connection before. */
  private boolean filled(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        return false;
      }
    }
    return true;
  }

  /** Calls under way end with {@link ClosedException}. */
  @Override
  public void close() throws IOException {
    channel.close();
  }
}
