#!/bin/bash
# JDK 25: the first equals (or hashCode) of a record makes classes at run time, a dozen and more, with the same
# count whether or not a dynamic archive (-XX:ArchiveClassesAtExit) was made by a run that called it. A lambda of the
# same program comes from the archive, and a class with a hand-written equals makes none.
#
# Guess: what the training run has used is in the archive, as it is for lambdas: both are invokedynamic.
# It matters to: programs that are started often and live on an archive. One comparison of two records on the way to the
# first answer took 10 ms, and 8 MB that the compiler and the heap kept.
. "$(dirname "$0")/lib.sh"
jdk 25
cat >"$T/Same.java" <<'S'
public class Same {
  record Pair(String a, int b) {}
  static final class Plain {
    final String a;
    final int b;
    Plain(String a, int b) { this.a = a; this.b = b; }
    @Override public boolean equals(Object o) { return o instanceof Plain p && a.equals(p.a) && b == p.b; }
    @Override public int hashCode() { return a.hashCode() * 31 + b; }
  }
  public static void main(String[] args) {
    String text = String.valueOf(args.length);
    switch (args[0]) {
      case "record": if (!new Pair(text, 1).equals(new Pair(text, 1))) throw new AssertionError(); break;
      case "plain": if (!new Plain(text, 1).equals(new Plain(text, 1))) throw new AssertionError(); break;
      default: Runnable r = () -> { if (text.isEmpty()) throw new AssertionError(); }; r.run();
    }
  }
}
S
cd "$T"
"$JAVA" -m jdk.compiler/com.sun.tools.javac.Main -d classes Same.java
"$JAVA" -m jdk.jartool/sun.tools.jar.Main --create --file same.jar -C classes .

# made HOW: how many classes the JVM makes while the program runs, beside an archive of a run that did the same.
made() {
  "$JAVA" -XX:ArchiveClassesAtExit="$1.jsa" -cp same.jar Same "$1" >/dev/null 2>&1
  "$JAVA" -XX:SharedArchiveFile="$1.jsa" -Xlog:class+load:file=load.log -cp same.jar Same "$1"
  grep -c 'LookupDefineClass\|Same\$\$Lambda.* source: Same' load.log || true
}
few() { [ "$1" -lt 2 ] && echo none || { [ "$1" -ge 8 ] && echo many || echo some; }; }
expect 'class with an equals of its own' none "$(few "$(made plain)")"
expect 'lambda' none "$(few "$(made lambda)")"
expect 'record' many "$(few "$(made record)")"
verdict
