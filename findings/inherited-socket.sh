#!/bin/bash
# JDK 21 to 27: a virtual thread that reads an inherited socket makes it non-blocking for every process that shares
# it, and the JVM leaves it so when it ends. A platform thread does not. isBlocking() says true in both cases.
#
# Guess: blocking or not is a matter of the channel object, and isBlocking() tells it.
# Cause: O_NONBLOCK belongs to the open file description. The JDK sets it so that the virtual thread can be parked.
# It matters to: a server on virtual threads that was given its socket as descriptor 0 by a launcher or a supervisor
# that still holds it: that one's next blocking accept or read fails with EAGAIN, after an upgrade of a JVM program
# from platform to virtual threads in which nothing about sockets was changed.
. "$(dirname "$0")/lib.sh"
need_commands perl
jdk 25
cat >"$T/Inherited.java" <<'J'
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

public class Inherited {
  static void answer() {
    try {
      SocketChannel channel = (SocketChannel) System.inheritedChannel();
      channel.read(ByteBuffer.allocate(1));
      channel.write(ByteBuffer.wrap(("isBlocking()=" + channel.isBlocking()).getBytes()));
    } catch (Exception e) {
      e.printStackTrace();
    }
  }
  public static void main(String[] args) throws Exception {
    (args[0].equals("virtual") ? Thread.ofVirtual() : Thread.ofPlatform()).start(Inherited::answer).join();
  }
}
J
cat >"$T/parent.pl" <<'P'
use Socket; use Fcntl;
my ($java, $source, $kind) = @ARGV;
socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, 0) or die $!;
my $pid = fork;
if (!$pid) { open(STDIN, "<&", $theirs); exec $java, $source, $kind or die $!; }
syswrite $ours, "x";
sysread $ours, my $answer, 100;
waitpid $pid, 0;
# the JVM has ended; the socket that it was given is still open here
print $answer, ", ", (fcntl($theirs, F_GETFL, 0) & O_NONBLOCK ? "non-blocking" : "blocking"), "\n";
P
for kind in platform virtual; do
  seen=$(perl "$T/parent.pl" "$JAVA" "$T/Inherited.java" "$kind")
  [[ $kind == virtual ]] && after=non-blocking || after=blocking
  expect "read by a $kind thread; the parent's descriptor afterwards" "isBlocking()=true, $after" "$seen"
done
verdict
