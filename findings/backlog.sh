#!/bin/bash
# JDK 21 to 28: a virtual thread that connects to a Unix socket whose backlog is full gets an exception,
# "Resource temporarily unavailable". A platform thread, running the same line, waits until there is room.
#
# Guess: both wait; a virtual thread may be used wherever a platform thread is, and blocks where that blocks.
# Cause: on a virtual thread the JDK makes the socket non-blocking before connect(2). For TCP the kernel then says
# EINPROGRESS, and one can poll. For a Unix socket it says EAGAIN, there is nothing to poll, and the JDK throws.
# It matters to: a server on virtual threads that connects to others over Unix sockets. A burst of connections that
# was merely slow on platform threads fails, and the message names neither the socket nor the backlog.
. "$(dirname "$0")/lib.sh"
jdk 25
cat >"$T/Backlog.java" <<'J'
import java.net.*; import java.nio.channels.*; import java.nio.file.*; import java.util.concurrent.*;

public class Backlog {
  static Path path;
  static SocketChannel connect() throws Exception {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(path));
    return channel;
  }
  static String attempt(ThreadFactory threads, CountDownLatch ended) throws Exception {
    var result = new FutureTask<String>(() -> {
      try (SocketChannel channel = connect()) {
        return "connected";
      } catch (Exception e) {
        return e.getMessage();
      } finally {
        ended.countDown();
      }
    });
    threads.newThread(result).start();
    return ended.await(2, TimeUnit.SECONDS) ? result.get() : "waits";
  }
  public static void main(String[] args) throws Exception {
    path = Path.of(args[0]);
    try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(path), 1);
      var full = new java.util.ArrayList<SocketChannel>();
      for (int i = 0; i < 2; i++) full.add(connect());
      System.out.println(attempt(Thread.ofVirtual().factory(), new CountDownLatch(1)));
      var ended = new CountDownLatch(1);
      System.out.println(attempt(Thread.ofPlatform().daemon().factory(), ended));
      server.accept();
      System.out.println(ended.await(10, TimeUnit.SECONDS) ? "returns" : "still waits");
    }
  }
}
J
mapfile -t seen < <("$JAVA" "$T/Backlog.java" "$T/socket")
expect 'virtual thread, backlog full' 'Resource temporarily unavailable' "${seen[0]-}"
expect 'platform thread, backlog full' waits "${seen[1]-}"
expect 'platform thread, after one accept' returns "${seen[2]-}"
verdict
