#!/bin/bash
# JDK 21 to 27: a JVM that is started with standard input closed has its own class library open as descriptor 0, and
# gives it to the children that inherit standard input. They read the binary file lib/modules, from the beginning.
#
# Guess: reading gives an error or the end of file; the JVM, or its spawn helper, makes sure that 0, 1 and 2 are open.
# Cause: open(2) takes the lowest free number, lib/modules is the first file that stays open, and the launcher does not
# fill up 0 to 2.
# It matters to: a shim that is started by a daemon with `<&-`. What it starts with an inherited standard input, an
# OCI runtime for example, gets bytes where it and the container expected nothing.
. "$(dirname "$0")/lib.sh"
jdk 25
cat >"$T/Closed.java" <<'J'
import java.nio.file.*;

public class Closed {
  public static void main(String[] args) throws Exception {
    var child = new ProcessBuilder("od", "-An", "-tx1", "-N8").redirectInput(ProcessBuilder.Redirect.INHERIT).start();
    String bytes = new String(child.getInputStream().readAllBytes()).trim();
    System.out.println(Files.readSymbolicLink(Path.of("/proc/self/fd/0")).getFileName());
    System.out.println(bytes);
  }
}
J
modules=$(od -An -tx1 -N8 <"${JAVA%/bin/java}/lib/modules" | sed 's/^ *//')
mapfile -t seen < <("$JAVA" "$T/Closed.java" <&-)
expect "descriptor 0 of the JVM" modules "${seen[0]-}"
expect "a child's standard input begins with (as lib/modules does)" "$modules" "${seen[1]-}"
mapfile -t seen < <("$JAVA" "$T/Closed.java" </dev/null)
expect 'the same, with standard input open on /dev/null' 'null ' "${seen[0]-} ${seen[1]-}"
verdict
