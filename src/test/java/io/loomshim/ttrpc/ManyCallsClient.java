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
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The client of the tests: as {@link Client}, but for any number of threads at once on one connection, as containerd
 * is, and it notices by itself when the connection goes.
 *
 * <p>Two virtual threads serve it: one writes the requests in the order in which it numbers them, one reads the
 * replies. Callers never touch the channel, because a channel is closed when a thread that uses it is
 * interrupted; an interrupted or late call is only forgotten. {@code lock} guards everything that changes.
 */
public final class ManyCallsClient implements AutoCloseable {
  private final ByteChannel channel;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final ArrayDeque<Pending<?>> unsent = new ArrayDeque<>();
  private final Map<Long, Pending<?>> sent = new HashMap<>();
  private long nextId = 1;
  private boolean closed;

  private ManyCallsClient(ByteChannel channel) {
    this.channel = channel;
  }

  /**
   * Connects, waiting up to {@code timeout} for the socket to appear and for room in its queue.
   *
   * @throws IOException if that fails; an interrupt ends it with {@link java.io.InterruptedIOException}, the thread
   *     still marked as interrupted
   */
  public static ManyCallsClient connect(Path socket, Duration timeout) throws IOException {
    var client = new ManyCallsClient(Dial.connect(socket, timeout));
    Threads.start("client-write/" + socket.getFileName(), client.new Writer());
    Threads.start("client-read/" + socket.getFileName(), client.new Reader());
    return client;
  }

  /**
   * Calls a method and waits for the reply.
   *
   * @param timeout for the whole call, also told to the server; {@link Client#NO_TIMEOUT} for none
   * @param metadata sent along, keys in lower case
   * @throws StatusException the error that the server answered; DEADLINE_EXCEEDED when the timeout has passed;
   *     RESOURCE_EXHAUSTED when request or reply is longer than 4 MiB; INTERNAL when the reply is not an R
   * @throws ClosedException when the connection is gone, whether or not the call had arrived
   * @throws InterruptedException when interrupted; the connection goes on
   */
  public <R extends MessageLite> R call(String service, String method, MessageLite request, Parser<R> parser,
      Duration timeout, Map<String, String> metadata) throws IOException, InterruptedException {
    long nanos = Client.nanos(timeout);
    if (nanos < 0) {
      throw Client.late();
    }
    long deadline = System.nanoTime() + nanos;
    byte[] frame = Frame.request(service, method, request, nanos, metadata);
    lock.lockInterruptibly();
    try {
      var pending = new Pending<>(frame, parser, lock.newCondition());
      if (closed) {
        throw new ClosedException();
      }
      unsent.add(pending);
      work.signal();
      try {
        awaitDone(pending, nanos == 0, deadline);
      } finally {
        forget(pending);
      }
      return pending.result();
    } finally {
      lock.unlock();
    }
  }

  /** Tells whether the connection is gone; every further call ends with {@link ClosedException}. */
  public boolean closed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Closes the connection; calls in flight end with {@link ClosedException}. Can be repeated. */
  @Override
  public void close() {
    close(new ClosedException());
  }

  private void close(ClosedException why) {
    lock.lock();
    try {
      closed = true;
      for (Pending<?> pending : unsent) {
        pending.fail(why);
      }
      for (Pending<?> pending : sent.values()) {
        pending.fail(why);
      }
      work.signal();
    } finally {
      lock.unlock();
    }
    try {
      channel.close();
    } catch (IOException e) {
      Log.debug("ttrpc: close failed", "error", e.toString());
    }
  }

  private void awaitDone(Pending<?> pending, boolean forever, long deadline) throws InterruptedException {
    assert lock.isHeldByCurrentThread();
    while (!pending.done()) {
      if (forever) {
        pending.changed().await();
        continue;
      }
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        throw Client.late();
      }
      pending.changed().awaitNanos(left);
    }
  }

  /** Drops a call that is over; it is not sent if it has not been. */
  private void forget(Pending<?> pending) {
    assert lock.isHeldByCurrentThread();
    if (pending.id() != Pending.UNSENT) {
      sent.remove(pending.id());
    } else {
      unsent.remove(pending);
    }
  }

  private final class Writer implements Runnable {
    private final FrameWriter writer = new FrameWriter(channel);

    @Override
    public void run() {
      try {
        while (writeNext()) {}
      } catch (IOException e) {
        close(new ClosedException(e));
      } catch (RuntimeException | Error e) {
        Log.error("ttrpc: client failed", "error", e.toString());
        close(new ClosedException(e));
      }
    }

    private boolean writeNext() throws IOException {
      byte[] frame;
      lock.lock();
      try {
        while (unsent.isEmpty() && !closed) {
          work.awaitUninterruptibly();
        }
        if (closed) {
          return false;
        }
        if (nextId > Client.ID_MAX) {
          throw new ClosedException();
        }
        Pending<?> pending = unsent.remove();
        frame = pending.send(nextId);
        sent.put(nextId, pending);
        nextId += 2;
      } finally {
        lock.unlock();
      }
      writer.write(frame);
      return true;
    }
  }

  private final class Reader implements Runnable {
    private final FrameReader reader = new FrameReader(channel, Budget.UNLIMITED);

    @Override
    public void run() {
      try {
        while (reader.next()) {
          take();
        }
        close(new ClosedException());
      } catch (IOException e) {
        close(new ClosedException(e));
      } catch (RuntimeException | Error e) {
        Log.error("ttrpc: client failed", "error", e.toString());
        close(new ClosedException(e));
      }
    }

    private void take() {
      Pending<?> pending = find(reader.id());
      if (reader.type() != Frame.RESPONSE && !reader.tooLong() || pending == null) {
        Log.debug("ttrpc: frame ignored", "id", Long.toString(reader.id()));
        return;
      }
      if (reader.tooLong()) {
        finish(pending, new StatusException(Code.RESOURCE_EXHAUSTED, Frame.tooLong(reader.length())));
        return;
      }
      finish(pending);
    }

    private Pending<?> find(long id) {
      lock.lock();
      try {
        return sent.get(id);
      } finally {
        lock.unlock();
      }
    }

    /** Decodes here, because the payload is a view of the reader's memory. */
    private <R extends MessageLite> void finish(Pending<R> pending) {
      try {
        var data = UnsafeByteOperations.unsafeWrap(reader.data(), reader.offset(), (int) reader.length());
        var input = data.newCodedInput();
        input.enableAliasing(true);
        Response response = Response.parser().parseFrom(input);
        var status = response.getStatus();
        if (status.getCode() != Code.OK.number()) {
          finish(pending, new StatusException(Code.of(status.getCode()), status.getMessage()));
          return;
        }
        R reply = pending.parser().parseFrom(response.getPayload());
        lock.lock();
        try {
          pending.succeed(reply);
        } finally {
          lock.unlock();
        }
      } catch (InvalidProtocolBufferException e) {
        finish(pending, new StatusException(Code.INTERNAL, "ttrpc: error unmarshalling reply: " + e.getMessage(), e));
      }
    }

    private void finish(Pending<?> pending, StatusException error) {
      lock.lock();
      try {
        pending.fail(error);
      } finally {
        lock.unlock();
      }
    }
  }
}
