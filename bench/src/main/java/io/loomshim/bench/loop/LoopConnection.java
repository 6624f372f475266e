package io.loomshim.bench.loop;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** One connection: the calls on it that are not answered yet. Runs on its event loop; no lock. */
final class LoopConnection extends ChannelInboundHandlerAdapter {
  private final Calls calls;
  private final Set<PendingCall> open = new HashSet<>(2);

  LoopConnection(Calls calls) {
    this.calls = calls;
  }

  /** As the daemon does, serves only its own user. */
  @Override
  public void channelActive(ChannelHandlerContext context) throws Exception {
    if (((EpollDomainSocketChannel) context.channel()).peerCredentials().uid() != Users.EFFECTIVE) {
      context.close();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    var arrived = (FrameDecoder.Arrived) message;
    var call = new PendingCall(context, arrived.stream(), open);
    try {
      calls.arrived(call, arrived.request());
    } catch (Exception e) {
      call.fail(e);
    }
  }

  /** What was arranged for calls of a client that has gone is taken back. */
  @Override
  public void channelInactive(ChannelHandlerContext context) {
    for (PendingCall call : List.copyOf(open)) {
      call.cancel();
    }
    open.clear();
  }

  /** Of the transport or of a frame that is none. */
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
    context.close();
  }
}
