#!/bin/bash
# junixsocket 2.11.1, JDK 21 to 27: a virtual thread that waits in AFUNIXSocketChannel.read keeps a processor busy for as
# long as it waits. One that waits in the input stream of the same kind of socket does not.
#
# Guess: it parks, as each blocking call of the JDK's sockets does; and of the two the channel, which is the modern interface
# and can be polled, is the one that is fit for virtual threads.
# Cause: the channel's read comes back empty and is tried again after a yield; only the streams and accept park.
# It matters to: a server on virtual threads. Nothing fails, each idle connection just costs processor time, as many
# processors as there are carriers at most; the JDK's own SocketChannel, for comparison, parks.
. "$(dirname "$0")/lib.sh"
jar com.kohlschutter.junixsocket:junixsocket-common:2.11.1 com.kohlschutter.junixsocket:junixsocket-native-common:2.11.1
jdk 25
cat >"$T/Spin.java" <<'J'
import java.net.*; import java.nio.ByteBuffer; import java.nio.channels.*; import java.nio.file.*;
import org.newsclub.net.unix.*;

public class Spin {
  interface Read { void run() throws Exception; }

  public static void main(String[] args) throws Exception {
    Path path = Path.of(args[1]);
    var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(path));
    var channel = AFUNIXSocketChannel.open();
    Read read = switch (args[0]) {
      case "channel" -> {
        channel.connect(AFUNIXSocketAddress.of(path));
        yield () -> channel.read(ByteBuffer.allocate(1));
      }
      case "stream" -> {
        channel.connect(AFUNIXSocketAddress.of(path));
        yield () -> channel.socket().getInputStream().read();
      }
      default -> {
        var jdks = SocketChannel.open(UnixDomainSocketAddress.of(path));
        yield () -> jdks.read(ByteBuffer.allocate(1));
      }
    };
    var accepted = server.accept();
    Thread reader = Thread.ofVirtual().start(() -> {
      try { read.run(); } catch (Exception e) { System.out.println(e); }
    });
    Thread.sleep(1000);
    long before = spent();
    Thread.sleep(3000);
    long milliseconds = spent() - before;
    accepted.write(ByteBuffer.allocate(1));
    reader.join(10_000);
    String spent = milliseconds >= 300 ? "busy" : milliseconds <= 150 ? "idle" : milliseconds + " ms of 3000";
    System.out.println(reader.isAlive() ? "never ends" : spent);
  }
  static long spent() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toMillis();
  }
}
J
for how in channel stream jdk; do
  [[ $how == channel ]] && wanted=busy || wanted=idle
  [[ $how == jdk ]] && what="the JDK's SocketChannel" || what="junixsocket's $how"
  rm -f "$T/socket"
  seen=$("$JAVA" --enable-native-access=ALL-UNNAMED -cp "$T/jars/*" "$T/Spin.java" $how "$T/socket")
  expect "a virtual thread waits in $what: the processor is" $wanted "$seen"
done
verdict
