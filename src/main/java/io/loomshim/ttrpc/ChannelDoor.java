package io.loomshim.ttrpc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** A door that is a socket of the JDK; its lines are sockets of the JDK too, and end with this process. */
final class ChannelDoor implements Door {
  private final ServerSocketChannel listener;
  private long number; // of the thread that accepts

  /** Owns {@code listener}, which is bound and in blocking mode. */
  ChannelDoor(ServerSocketChannel listener) {
    this.listener = listener;
  }

  @Override
  public Line accept() throws IOException {
    return new ChannelLine(listener.accept(), ++number);
  }

  @Override
  public boolean isOpen() {
    return listener.isOpen();
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }

  /** A class with fields and not a record, whose first use generates code. */
  private static final class ChannelLine implements Line {
    private final SocketChannel channel;
    private final long number;

    private ChannelLine(SocketChannel channel, long number) {
      this.channel = channel;
      this.number = number;
    }

    @Override
    public Optional<String> stranger() throws IOException {
      Credentials peer = Credentials.of(channel);
      return peer.same(Credentials.own()) ? Optional.empty()
          : Optional.of(peer.user().getName() + ":" + peer.group().getName());
    }

    @Override
    public long number() {
      return number;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
      return channel.read(into);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
      return channel.write(from);
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
