#!/bin/bash
# JDK 21 to 28: a child that native code of a JVM starts with posix_spawn(3) has SIGQUIT blocked, from any thread of
# Java and without any code having touched a signal. With ProcessBuilder it has not. A shell in between hides it.
#
# Guess: the signal mask of a JVM's threads is what the JVM was started with; SIGQUIT has a handler, and handlers are
# reset by exec(2).
# Cause: the handler is; a mask is inherited. HotSpot blocks SIGQUIT in all of its threads but one, so that the thread
# dump is made there. Only the JDK's own spawn helper clears the mask again.
# It matters to: a shim in Java that spawns by FFM or JNI, with attributes left out as in most examples. SIGQUIT is the
# signal for a graceful stop of some servers (nginx and php-fpm among them). Such a child does not hear it
# (runc 1.1.5 and crun 1.8.1 clear the mask for what they start).
. "$(dirname "$0")/lib.sh"
jdk 25
cat >"$T/Spawn.java" <<'J'
import java.lang.foreign.*;
import static java.lang.foreign.ValueLayout.*;

public class Spawn {
  static final Linker C = Linker.nativeLinker();

  static Object call(String name, Object... arguments) throws Throwable {
    var layouts = new MemoryLayout[arguments.length];
    for (int i = 0; i < layouts.length; i++) layouts[i] = arguments[i] instanceof Integer ? JAVA_INT : ADDRESS;
    return C.downcallHandle(C.defaultLookup().find(name).get(), FunctionDescriptor.of(JAVA_INT, layouts))
        .invokeWithArguments(arguments);
  }
  static void spawn(String... command) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      var argv = arena.allocate(ADDRESS, command.length + 1);
      for (int i = 0; i < command.length; i++) argv.setAtIndex(ADDRESS, i, arena.allocateFrom(command[i]));
      var pid = arena.allocate(JAVA_INT);
      call("posix_spawn", pid, argv.get(ADDRESS, 0), MemorySegment.NULL, MemorySegment.NULL, argv, MemorySegment.NULL);
      call("waitpid", pid.get(JAVA_INT, 0), MemorySegment.NULL, 0);
    }
  }
  public static void main(String[] args) throws Throwable {
    if (args[0].equals("native")) spawn(java.util.Arrays.copyOfRange(args, 1, args.length));
    else new ProcessBuilder(args).inheritIO().start().waitFor();
  }
}
J
blocked() { "$JAVA" --enable-native-access=ALL-UNNAMED "$T/Spawn.java" "$@" | sed -n 's/^SigBlk:\t0*\(.*.\)$/\1/p'; }
grep=$(type -P grep)
# bit N-1 stands for signal N: 4 is SIGQUIT alone
expect 'blocked in a child of posix_spawn' 4 "$(blocked native "$grep" SigBlk /proc/self/status)"
expect 'blocked in a child of ProcessBuilder' 0 "$(blocked "$grep" SigBlk /proc/self/status)"
expect "blocked in a child of posix_spawn, started by Debian's sh" 0 \
  "$(blocked native /bin/dash -c "$grep SigBlk /proc/self/status; exit")"
verdict
