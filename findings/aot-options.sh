#!/bin/bash
# JDK 25 to 28: two harmless options beside -XX:AOTCache=FILE. -Xshare:auto, which is the default and may be said beside
# any other archive, ends the JVM with an error. --enable-native-access=ALL-UNNAMED, given at the run but not when the
# cache was made, has the whole cache left aside; beside -XX:SharedArchiveFile the archive is still used. And in both cases
# lines of errors stand on standard output, before the program's own, while the exit status is 0.
#
# Guess: to name a default changes nothing; a permission has nothing to do with class data; a cache that cannot be used is
# passed over in silence, as "auto" promises; and what is said about it goes to standard error.
# It matters to: a shim or any launched program whose standard output is read by its parent (a shim prints its address
# there), and to launch scripts written for class data sharing that are moved to the cache.
. "$(dirname "$0")/lib.sh"
jdk 25
cat >"$T/Hello.java" <<'J'
public class Hello {
  public static void main(String[] args) {
    System.out.println("hello");
  }
}
J
cd "$T"
"$JAVA" -m jdk.compiler/com.sun.tools.javac.Main -d classes Hello.java
"$JAVA" -m jdk.jartool/sun.tools.jar.Main --create --file hello.jar -C classes .
"$JAVA" -XX:AOTCacheOutput=hello.aot -cp hello.jar Hello >/dev/null 2>&1
"$JAVA" -XX:ArchiveClassesAtExit=hello.jsa -cp hello.jar Hello >/dev/null 2>&1

# run OPTION...: the exit status, what standard output has before "hello", and where the class Hello came from.
run() {
  local status=0 from
  "$JAVA" "$@" -Xlog:class+load:file=load.log -cp hello.jar Hello >out 2>/dev/null || status=$?
  from=$(sed -n 's/.* Hello source: \(shared\|file\).*/\1/p' load.log)
  printf 'exit %d, %s, class from %s' $status "$(awk '/^hello$/ { hello = 1; exit } /\[error\]/ { errors = 1 }
    END { print (hello ? (errors ? "errors and hello" : "hello") : "no hello") }' out)" "${from:-nowhere}"
  rm -f load.log
}
native=--enable-native-access=ALL-UNNAMED
jsa=-XX:SharedArchiveFile=hello.jsa aot=-XX:AOTCache=hello.aot
expect 'SharedArchiveFile' 'exit 0, hello, class from shared' "$(run $jsa)"
expect 'SharedArchiveFile and -Xshare:auto' 'exit 0, hello, class from shared' "$(run $jsa -Xshare:auto)"
expect 'SharedArchiveFile and --enable-native-access' 'exit 0, errors and hello, class from shared' "$(run $jsa $native)"
expect 'AOTCache' 'exit 0, hello, class from shared' "$(run $aot)"
expect 'AOTCache and -Xshare:auto' 'exit 1, no hello, class from nowhere' "$(run $aot -Xshare:auto)"
expect 'AOTCache and --enable-native-access' 'exit 0, errors and hello, class from file' "$(run $aot $native)"
verdict
