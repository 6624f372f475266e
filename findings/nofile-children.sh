#!/bin/bash
# JDK 21 to 28: a JVM raises its own soft limit of descriptors (RLIMIT_NOFILE) to the hard limit, and what it starts
# inherits the raised one. -XX:-MaxFDLimit leaves both alone.
#
# Guess: the JVM leaves limits alone, or raises its own and gives children back what there was, as the Go runtime does.
# It matters to: a shim, or a supervisor, in Java. The soft limit of 1024 is there for the sake of programs that use
# select(2), and for those that close or poll every possible descriptor after a fork: with a hard limit of a million these
# take seconds. What was tried from a shell behaves otherwise under the JVM.
. "$(dirname "$0")/lib.sh"
(($(ulimit -Hn) > 300)) || skip 'the hard limit of descriptors is too low here'
jdk 25
cat >"$T/Limit.java" <<'J'
public class Limit {
  public static void main(String[] args) throws Exception {
    new ProcessBuilder("sh", "-c", "ulimit -Sn").inheritIO().start().waitFor();
  }
}
J
ulimit -Sn 300
expect 'soft limit in a child of this shell' 300 "$(sh -c 'ulimit -Sn')"
expect 'in a child of a JVM that this shell starts (the hard limit)' "$(ulimit -Hn)" "$("$JAVA" "$T/Limit.java")"
expect 'in a child of a JVM with -XX:-MaxFDLimit' 300 "$("$JAVA" -XX:-MaxFDLimit "$T/Limit.java")"
verdict
