#!/bin/bash
# CRIU 4.1.1 on Linux 6.16 and newer: a process with a TCP socket cannot be saved, listening or not even bound, while `criu
# check` says "Looks good." A process without one can. 4.2.1 does both.
#
# Guess: `criu check` says whether this CRIU goes with this kernel, and one TCP socket more or less is no matter without
# connections.
# Cause: CRIU asks each socket for SO_PASSCRED and SO_PASSSEC, which are options of Unix sockets. Up to 6.15 the kernel
# answered 0 for any socket, since 6.16 it says "Operation not supported" for TCP; `check` opens no socket of that kind.
# It matters to: a shim that offers checkpoints: a check at its start promises what most containers will not get. And to
# programs that read socket options generically: an option that was readable on every socket is not any more.
. "$(dirname "$0")/lib.sh"
need_root
kernel_at_least 6.16 || skip 'the kernel tells SO_PASSCRED of TCP sockets up to Linux 6.15'
cleanup() { kill -KILL "$target"; }
compile target -static <<'C'
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int value, fd = socket(strcmp(argv[1], "tcp") ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
  socklen_t length = sizeof value;
  if (argc > 2) return getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, &length) ? 1 : 0;
  return sleep(60);
}
C
status=0
"$T/target" tcp ask || status=$?
expect 'SO_PASSCRED of a TCP socket: getsockopt fails' 1 $status
# each suite's CRIU, on that suite's libc
for suite in trixie forky; do
  [[ $suite == trixie ]] && version=4.1.1-1 || version=4.2.1-1
  unpack $suite criu=$version -- all
  criu=$T/$suite/usr/sbin/criu
  own_libc $suite "$criu"
  say "CRIU $("$criu" --version | sed -n 's/^Version: //p'), Linux $(uname -r)"
  status=0
  "$criu" check >"$T/check" 2>&1 || status=$?
  expect "$version: criu check" '0 Looks good.' "$status $(tail -n 1 "$T/check")"
  for kind in unix tcp; do
    setsid "$T/target" $kind </dev/null >/dev/null 2>&1 &
    target=$!
    disown
    sleep 1
    mkdir "$T/$suite-$kind"
    status=0
    "$criu" dump --tree $target --images-dir "$T/$suite-$kind" --log-file log -v1 >/dev/null 2>&1 || status=$?
    [[ $suite$kind == trixietcp ]] && wanted=1 || wanted=0
    expect "$version: criu dump of a process with a $kind socket, exit status" $wanted $status
    ((status == 0)) || sed -n 's/.*Error.*sockets: /    /p' "$T/$suite-$kind/log"
    kill -KILL $target 2>/dev/null || true
  done
done
verdict
