#!/bin/bash
# JDK 21, 25, 27: "class data sharing" shares little between processes. The JVM maps its archive of classes at a random
# address and writes the new addresses into it, in private pages: most of the archive is private memory of each JVM. With
# -XX:ArchiveRelocationMode=0 (a diagnostic option) it stays where it was made for, and is shared.
#
# Guess: a file of classes that is mapped by ten JVMs of one machine is in memory once.
# Cause: that the address is random is a protection, and the default; addresses in the archive are absolute.
# It matters to: those who run many small JVMs, one for each tenant or pod, and count on the archive for their memory.
. "$(dirname "$0")/lib.sh"
need_root
for number in 21 25 27; do
  jdk $number
  "$JAVA" -Xshare:dump >/dev/null 2>&1 || cannot "JDK $number makes no archive"
  for mode in default 0; do
    options=(-XX:+UseSerialGC -Xmx32m -XX:TieredStopAtLevel=1 -XX:+UnlockDiagnosticVMOptions)
    [[ $mode == default ]] || options+=(-XX:ArchiveRelocationMode=0)
    cat >"$T/Wait.java" <<'J'
public class Wait {
  public static void main(String[] args) throws Exception {
    System.out.println("runs");
    System.in.read();
  }
}
J
    [[ -e $T/classes-$number/Wait.class ]] ||
      "$JAVA" -m jdk.compiler/com.sun.tools.javac.Main -d "$T/classes-$number" "$T/Wait.java"
    mkfifo "$T/in"
    "$JAVA" "${options[@]}" -cp "$T/classes-$number" Wait <"$T/in" >"$T/out" &
    pid=$!
    exec 7>"$T/in"
    until [[ -s $T/out ]]; do sleep 0.1; done
    # of the mappings of the archive: what is in memory, and what of it is a page of the process's own; in kilobytes
    read -r resident own < <(awk '/^[0-9a-f]+-/ { archive = /classes.*\.jsa/ } archive && $1 == "Rss:" { r += $2 }
      archive && $1 == "Anonymous:" { a += $2 } END { print r + 0, a + 0 }' "/proc/$pid/smaps")
    exec 7>&-
    wait "$pid"
    rm -f "$T/in" "$T/out"
    say "  JDK $number, ArchiveRelocationMode $mode: $resident kB of the archive are in memory, $own kB of them copies of its own"
    [[ $mode == default ]] && wanted=most || wanted=little
    expect "JDK $number, ArchiveRelocationMode $mode: copies" "$wanted" \
      "$( ((resident == 0)) && echo none || { ((own * 2 > resident)) && echo most || echo little; })"
  done
done
verdict
