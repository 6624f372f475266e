#!/bin/bash
# protobuf-java and protobuf-javalite 4.36.2, JDK 25: the same release, the same message, three differences that
# are no matter of size. The lite one, and it alone, makes the JVM print a warning to standard error when the first message
# is made. Its text shows a uint32 of 4294967295 as -1, and shows an int64 that was never set. And it calls an end-group
# tag that belongs to nothing a tag of zero.
#
# Guess: lite lacks descriptors and reflection, and what is left is the same code of the same age.
# Cause: the full runtime asks for sun.misc.Unsafe in other ways than lite does; the text of lite is made by Java
# reflection over the getters, and Java has no unsigned int; its parser is another one.
# It matters to: a ttrpc shim that would take lite to start fast. Its standard error belongs to its launcher, which reports it;
# a pid or an exit status in its log is not what the other side's log says; and errors are to be told apart by their
# class, not by their text.
. "$(dirname "$0")/lib.sh"
[[ $(uname -m) == x86_64 ]] || skip 'the compiler that this script fetches is for x86-64'
for artifact in protobuf-java:4.36.2 protobuf-javalite:4.36.2 protoc:4.36.2:exe:linux-x86_64; do
  jar "com.google.protobuf:$artifact"
done
jdk 25
cd "$T"
mv jars/protoc-*.exe protoc
chmod +x protoc
cat >exit.proto <<'P'
syntax = "proto3";
option java_multiple_files = true;
message Exit { uint32 exit_status = 1; int64 exited_at = 2; string id = 3; }
P
cat >Main.java <<'J'
import com.google.protobuf.InvalidProtocolBufferException;

public class Main {
  public static void main(String[] args) {
    String text = Exit.newBuilder().setExitStatus(-1).build().toString();
    System.out.println(text.replaceAll("^#.*\n", "").trim().replace('\n', ' '));
    try {
      Exit.parseFrom(new byte[] {0xc});
    } catch (InvalidProtocolBufferException e) {
      System.out.println(e.getMessage());
    }
  }
}
J
try() {
  mkdir "$1"
  ./protoc --java_out="$2$1" exit.proto
  "$JAVA" -m jdk.compiler/com.sun.tools.javac.Main -cp "$3" -d "$1" "$1"/*.java Main.java
  mapfile -t seen < <("$JAVA" -cp "$1:$3" Main 2>err)
  warnings=$(grep -c 'sun.misc.Unsafe' err || true)
  expect "$1: lines about sun.misc.Unsafe on standard error" "$4" "$warnings"
  expect "$1: an Exit with exit_status 0xffffffff as text" "$5" "${seen[0]-}"
  expect "$1: the byte 0x0c as a message" "$6" "${seen[1]-}"
}
try full '' "$T/jars/protobuf-java-4.36.2.jar" 0 'exit_status: 4294967295' \
  'Protocol message end-group tag did not match expected tag.'
try lite lite: "$T/jars/protobuf-javalite-4.36.2.jar" 3 'exit_status: -1 exited_at: 0' \
  'Protocol message contained an invalid tag (zero).'
verdict
