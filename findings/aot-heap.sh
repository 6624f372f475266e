#!/bin/bash
# JDK 25: with an archive of linked classes a JVM does not start when its heap begins small. The objects of the archive
# must fit into the first old generation, else it ends with "Unable to use shared archive", also with -Xshare:auto.
#
# Guess: -Xshare:auto, the default, means that an archive that cannot be used is left aside, as it is with other object
# headers or a truncated file, and as one without linked classes is here, too; and a heap that may grow, grows.
# Cause: linked classes are of no use without the archive's objects, which the serial collector puts into the old
# generation before it may grow; what is half loaded then cannot be undone. The message does not speak of the heap.
# It matters to: a program with -XX:+AOTClassLinking, or an AOT cache, and a small -Xms or a large -Xmn. Nothing warns:
# with 2.02 MB of objects and -Xms8m -Xmn6m it starts, and one more library with enough constants is the end of it. The
# archive is to be tried where it is made, and a launcher needs a second try without.
. "$(dirname "$0")/lib.sh"
jdk 25
cd "$T" || exit
cat >Hello.java <<'J'
public class Hello {
  public static void main(String[] args) {
    System.out.println("hello");
  }
}
J
# the tools by their modules, as a JRE has no commands for them
"$JAVA" -m jdk.compiler/com.sun.tools.javac.Main Hello.java
"$JAVA" -m jdk.jartool/sun.tools.jar.Main --create --file hello.jar Hello.class
"$JAVA" -XX:DumpLoadedClassList=classes -cp hello.jar Hello >/dev/null
for linked in + -; do
  "$JAVA" -Xshare:dump -XX:+UseG1GC "-XX:${linked}AOTClassLinking" -XX:SharedClassListFile=classes \
    "-XX:SharedArchiveFile=archive$linked" -cp hello.jar >/dev/null 2>&1
done
# started LINKED OPTION...: its last line, and whether it ended well.
started() {
  local archive=archive$1 said status=0
  shift
  said=$("$JAVA" -XX:+UseSerialGC -Xshare:auto "-XX:SharedArchiveFile=$archive" "$@" -cp hello.jar Hello 2>&1) || status=$?
  printf '%s, exit %d' "$(tail -n 1 <<<"$said" | cut -d . -f 1)" "$status"
}
room='-Xms16m -Xmn8m' # 8 MB for the old generation
none='-Xms16m -Xmn15800k' # 0.6 MB, where the archive has 0.8 MB of objects
# shellcheck disable=SC2086 # two options
{
  expect "linked classes, $room" 'hello, exit 0' "$(started + $room)"
  expect "linked classes, $none" 'Unable to use shared archive, exit 1' "$(started + $none)"
  expect "the same with -Xmx1g, so that it may grow" 'Unable to use shared archive, exit 1' "$(started + $none -Xmx1g)"
  expect "not linked, $none" 'hello, exit 0' "$(started - $none)"
}
verdict
