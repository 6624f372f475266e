package io.loomshim.bench.loop;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A ttrpc server on event loops, one for each processor: Netty's epoll transport on Unix-domain sockets. Any thread may
 * call it.
 */
final class LoopServer implements AutoCloseable {
  /** As many connections may wait for accept(2) as at the daemon's own listener. */
  private static final int BACKLOG = 1024;

  private static final int END_SECONDS_MAX = 5;

  private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(Runtime.getRuntime().availableProcessors(),
      EpollIoHandler.newFactory());
  private final Calls calls;

  LoopServer(Calls calls) {
    this.calls = calls;
  }

  /** Begins to serve {@code socket}, where there is no file yet. */
  void listen(Path socket) {
    new ServerBootstrap().group(loops).channel(EpollServerDomainSocketChannel.class)
        .option(ChannelOption.SO_BACKLOG, BACKLOG)
        .childHandler(new ChannelInitializer<Channel>() {
          @Override
          protected void initChannel(Channel channel) {
            channel.pipeline().addLast(new FrameDecoder(), new LoopConnection(calls));
          }
        })
        .bind(new DomainSocketAddress(socket.toString())).syncUninterruptibly();
  }

  @Override
  public void close() {
    loops.shutdownGracefully(0, END_SECONDS_MAX, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
