package io.loomshim.bench.loop;

import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.task.ErrorCodes;
import io.loomshim.ttrpc.ErrorMapper;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * One call that has not been answered. Its state belongs to the event loop of its connection: {@link #reply} and
 * {@link #fail} go there when they are called by another thread.
 */
final class PendingCall {
  private static final ErrorMapper ERRORS = new ErrorCodes();

  private static final Runnable NOTHING = () -> { };

  private final ChannelHandlerContext context;
  private final int stream;
  private final Set<PendingCall> open;
  private Runnable onCancel = NOTHING;
  private Optional<ScheduledFuture<?>> deadline = Optional.empty();
  private boolean over;

  /** {@code open}: the calls of its connection, for {@link #cancel}. */
  PendingCall(ChannelHandlerContext context, int stream, Set<PendingCall> open) {
    this.context = context;
    this.stream = stream;
    this.open = open;
  }

  /** It is not answered yet: {@code cancel} takes back what was arranged; {@code nanos} 0 is no deadline. */
  void parked(Runnable cancel, long nanos) {
    assert context.executor().inEventLoop();
    if (over) {
      return;
    }
    onCancel = cancel;
    open.add(this);
    if (nanos > 0) {
      deadline = Optional.of(context.executor().schedule(this::late, nanos, TimeUnit.NANOSECONDS));
    }
  }

  private void late() {
    cancel();
    fail(new StatusException(Code.DEADLINE_EXCEEDED, "context deadline exceeded"));
  }

  /** The caller has gone, or its deadline has passed. */
  void cancel() {
    onCancel.run();
    onCancel = NOTHING;
  }

  void reply(MessageLite message) {
    answer(Optional.of(message), Optional.empty());
  }

  void fail(Throwable error) {
    answer(Optional.empty(), Optional.of(error instanceof StatusException status ? status : ERRORS.map(error)));
  }

  private void answer(Optional<MessageLite> message, Optional<StatusException> error) {
    if (!context.executor().inEventLoop()) {
      context.executor().execute(() -> answer(message, error));
      return;
    }
    if (over) {
      return;
    }
    over = true;
    open.remove(this);
    deadline.ifPresent(timer -> timer.cancel(false));
    context.writeAndFlush(message.isPresent() ? Wire.reply(context.alloc(), stream, message.get())
        : Wire.error(context.alloc(), stream, error.orElseThrow()));
  }
}
