#!/bin/bash
# jffi 1.4.3 (jnr-ffi and jnr-posix stand on it), JDK 21 to 27: the errno that LastError keeps belongs to the carrier, not
# to the virtual thread. A virtual thread that is parked or yields between its call and the question reads the error of
# the thread that ran on that carrier in between.
#
# Guess: a Java interface that says "the last error of this thread" means the thread of Java, as a ThreadLocal does.
# Cause: the value lies in a thread-local variable of C, and is saved for the thread of the system.
# It matters to: servers on virtual threads with native calls by jnr. A lock, a log line or a socket between the call and
# the question is enough, and under little load all is well. The calls in one order, without a yield, say the truth.
. "$(dirname "$0")/lib.sh"
jar com.github.jnr:jffi:1.4.3 com.github.jnr:jffi:1.4.3:jar:native
jdk 25
cat >"$T/Errno.java" <<'J'
import com.kenai.jffi.*;

public class Errno {
  static final Library C = Library.openLibrary("libc.so.6", Library.NOW);

  static void call(String name, int... arguments) {
    var types = new Type[arguments.length];
    java.util.Arrays.fill(types, Type.SINT32);
    // true: keep errno
    var context = CallContext.getCallContext(Type.SINT32, types, CallingConvention.DEFAULT, true);
    var function = new Function(C.getSymbolAddress(name), context);
    var buffer = new HeapInvocationBuffer(function);
    for (int argument : arguments) buffer.putInt(argument);
    Invoker.getInstance().invokeInt(function, buffer);
  }
  static Thread close(boolean yield) {
    return Thread.ofVirtual().unstarted(() -> {
      call("close", -1);
      if (yield) Thread.yield();
      System.out.println(LastError.getInstance().get());
    });
  }
  static Thread kill() {
    return Thread.ofVirtual().unstarted(() -> call("kill", Integer.MAX_VALUE - 1, 0));
  }
  public static void main(String[] args) throws Exception {
    call("getpid");
    for (boolean yield : new boolean[] {false, true}) {
      // both are started from a third virtual thread, so that they stand in the queue in this order
      Thread.ofVirtual().start(() -> {
        try {
          Thread first = close(yield), second = kill();
          first.start();
          second.start();
          first.join();
          second.join();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }).join();
    }
  }
}
J
mapfile -t seen < <("$JAVA" --enable-native-access=ALL-UNNAMED -Djdk.virtualThreadScheduler.parallelism=1 \
  -Djdk.virtualThreadScheduler.maxPoolSize=1 -cp "$T/jars/*" "$T/Errno.java")
expect 'errno of close(-1), asked for at once: 9, EBADF' 9 "${seen[0]-}"
expect 'asked for after a yield to a thread whose kill() failed: 3, ESRCH' 3 "${seen[1]-}"
verdict
