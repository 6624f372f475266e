package io.loomshim.bench.loom;

import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.bench.rpc.CallException;
import io.loomshim.bench.rpc.Frame;
import io.loomshim.bench.site.Direct;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.ttrpc.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * A connection and a Wait for each of many containers, as containerd and its clients have them: nothing is said on it
 * until the container ends. Used from one thread, which is the only one that these connections have on our side.
 */
final class Waits implements AutoCloseable {
  private static final int WAIT_STREAM = 1;
  private static final int STATE_STREAM = 3;

  /** A server takes a call up within this time, or never. */
  private static final Duration TAKEN_UP_MAX = Duration.ofSeconds(10);

  /** A call that finds no thread is refused after 5 s, docs/LOOM.md. */
  private static final Duration REFUSED_MAX = Duration.ofSeconds(7);

  /** The Wait of one container, and a State behind it: its answer shows that the Wait has been taken up. */
  private static final class Waiter {
    final SocketChannel channel;
    final ByteBuffer reply = ByteBuffer.allocate(4096);
    boolean takenUp;
    boolean ended;
    String refusal = "";

    Waiter(SocketChannel channel) {
      this.channel = channel;
    }
  }

  private final Selector selector;
  private final List<Waiter> waiters = new ArrayList<>();

  private Waits(Selector selector) {
    this.selector = selector;
  }

  static Waits open(Collection<Direct> containers) throws IOException {
    var waits = new Waits(Selector.open());
    try {
      for (Direct container : containers) {
        waits.add(container, "");
      }
      return waits;
    } catch (IOException | RuntimeException e) {
      waits.close();
      throw e;
    }
  }

  /** {@code count} connections with a Wait each for one process of a container. */
  static Waits open(Direct container, String exec, int count) throws IOException {
    var waits = new Waits(Selector.open());
    try {
      for (int i = 0; i < count; i++) {
        waits.add(container, exec);
      }
      return waits;
    } catch (IOException | RuntimeException e) {
      waits.close();
      throw e;
    }
  }

  private void add(Direct container, String exec) throws IOException {
    var wait = WaitRequest.newBuilder().setId(container.id()).setExecId(exec).build();
    var state = StateRequest.newBuilder().setId(container.id()).build();
    var waiter = new Waiter(SocketChannel.open(UnixDomainSocketAddress.of(container.socket())));
    waiters.add(waiter);
    waiter.channel.write(Frame.request(WAIT_STREAM, "Wait", wait, Duration.ZERO));
    waiter.channel.write(Frame.request(STATE_STREAM, "State", state, Duration.ZERO));
    waiter.channel.configureBlocking(false);
    waiter.channel.register(selector, SelectionKey.OP_READ, waiter);
  }

  /** Reads until every Wait has been taken up, and with {@code refusals} until all refusals must have come. */
  void settle(boolean refusals) throws IOException {
    long begin = System.nanoTime();
    while (silent() > 0 && System.nanoTime() - begin < TAKEN_UP_MAX.toNanos()) {
      select();
    }
    while (refusals && System.nanoTime() - begin < REFUSED_MAX.toNanos()) {
      select();
    }
  }

  /** Reads until every Wait has been answered, or until {@code limit} is over. */
  void awaitEnds(Duration limit) throws IOException {
    long begin = System.nanoTime();
    while (ended() < waiters.size() && System.nanoTime() - begin < limit.toNanos()) {
      select();
    }
  }

  /** Waits that were answered with the end of their process. */
  int ended() {
    int count = 0;
    for (Waiter waiter : waiters) {
      count += waiter.ended ? 1 : 0;
    }
    return count;
  }

  /** Takes what has come meanwhile. */
  void look() throws IOException {
    selector.selectNow(this::read);
  }

  private void select() throws IOException {
    selector.select(this::read, TimeUnit.MILLISECONDS.toMillis(100));
  }

  private void read(SelectionKey key) {
    var waiter = (Waiter) key.attachment();
    try {
      if (waiter.channel.read(waiter.reply) < 0) {
        waiter.refusal = "the shim has closed the connection";
        key.cancel();
      }
      waiter.reply.flip();
      while (waiter.reply.remaining() >= Frame.HEADER_BYTES
          && waiter.reply.remaining() >= Frame.HEADER_BYTES + waiter.reply.getInt(waiter.reply.position())) {
        answer(waiter);
      }
      waiter.reply.compact();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void answer(Waiter waiter) throws InvalidProtocolBufferException {
    int at = waiter.reply.position();
    int length = waiter.reply.getInt(at);
    int stream = waiter.reply.getInt(at + Frame.STREAM_OFFSET);
    var status = Response.parser().parseFrom(waiter.reply.slice(at + Frame.HEADER_BYTES, length)).getStatus();
    waiter.reply.position(at + Frame.HEADER_BYTES + length);
    if (stream == STATE_STREAM && status.getCode() == 0) {
      waiter.takenUp = true;
    } else if (stream == WAIT_STREAM && status.getCode() == 0) {
      waiter.ended = true;
    } else {
      waiter.refusal = new CallException(status.getCode(), status.getMessage()).getMessage();
    }
  }

  /** Waits that the shim has not taken up. */
  int silent() {
    int count = 0;
    for (Waiter waiter : waiters) {
      count += waiter.takenUp || !waiter.refusal.isEmpty() ? 0 : 1;
    }
    return count;
  }

  /** Waits that have ended though their containers run. */
  int refused() {
    int count = 0;
    for (Waiter waiter : waiters) {
      count += waiter.refusal.isEmpty() && !waiter.ended ? 0 : 1;
    }
    return count;
  }

  /** What the refused ones were told. */
  String refusals() {
    var texts = new TreeSet<String>();
    for (Waiter waiter : waiters) {
      if (!waiter.refusal.isEmpty()) {
        texts.add(waiter.refusal);
      }
    }
    return String.join(" / ", texts);
  }

  @Override
  public void close() throws IOException {
    for (Waiter waiter : waiters) {
      waiter.channel.close();
    }
    selector.close();
  }
}
