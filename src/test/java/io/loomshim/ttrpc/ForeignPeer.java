package io.loomshim.ttrpc;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.HexFormat;

/** A program of its own that sends bytes to a socket and prints {@code closed} or {@code answered}. JDK only. */
final class ForeignPeer {
  private ForeignPeer() {}

  public static void main(String[] args) throws IOException {
    try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(args[0]))) {
      int n;
      try {
        channel.write(ByteBuffer.wrap(HexFormat.of().parseHex(args[1])));
        n = channel.read(ByteBuffer.allocate(10));
      } catch (IOException e) {
        n = -1; // closed before the bytes were written
      }
      System.out.print(n < 0 ? "closed" : "answered");
    }
  }
}
