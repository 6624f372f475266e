#!/bin/bash
# runc 1.1.15 and crun 1.21 (1.1.5 and 1.8.1 are alike): a container whose init has ended its main thread by
# pthread_exit(3) and goes on in others, as POSIX allows, is "stopped" for both, and both refuse to kill it. It runs.
#
# Guess: a runtime's "stopped" means that the process is gone; the kernel's letter Z means the same.
# Cause: Z is the state of the one thread whose number is the process's. The kernel calls the process ended when its last
# thread has ended, and only then does a pidfd, or wait, say so.
# It matters to: a shim that asks the runtime, or /proc/PID/stat, whether a container lives. It has to believe the exit that
# it waits for, and to signal by pidfd; `ps` shows such a process as <defunct> while it serves.
. "$(dirname "$0")/lib.sh"
need_root
need_commands perl
own_mounts "$@"
id=finding-$$ pid=
cleanup() {
  [[ -z $pid ]] || kill -KILL "$pid"
  sleep 0.5
  for oci in "${runtimes[@]}"; do "$oci" --root "$T/state" delete --force $id; done
}
unpack trixie runc=1.1.15+ds1-2+b4 crun=1.21-1 -- all
runtimes=("$T/trixie/usr/sbin/runc" "$T/trixie/usr/bin/crun")
own_libc trixie "${runtimes[@]}"
say "$("${runtimes[0]}" --version | head -n 1), $("${runtimes[1]}" --version | head -n 1), Linux $(uname -r)"
# crun takes no mixture of cgroup v1 and v2
umount /sys/fs/cgroup/unified 2>/dev/null || true
mkdir -p "$T/bundle/rootfs/proc"
compile bundle/rootfs/init -static -pthread <<'C'
#include <pthread.h>
#include <unistd.h>
static void *serve(void *unused) { sleep(60); return unused; }
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, serve, 0);
  pthread_exit(0);
}
C
sleeping() { cat /proc/"$pid"/task/*/status | grep -c '^State:.S' || true; }
cd "$T/bundle"
"${runtimes[0]}" spec
sed -i 's/"terminal": true/"terminal": false/; s#"sh"#"/init"#' config.json
for oci in "${runtimes[@]}"; do
  name=${oci##*/}
  "$oci" --root "$T/state" create --pid-file "$T/pid" $id </dev/null >"$T/log" 2>&1 ||
    cannot "$name create: $(tail -n 1 "$T/log")"
  pid=$(<"$T/pid")
  "$oci" --root "$T/state" start $id
  sleep 1
  poll='my $fd = syscall(434, $ARGV[0] + 0, 0); vec(my $set, $fd, 1) = 1; print scalar select($set, undef, undef, 0)'
  expect "$name: threads of the container's init that sleep, not zombies" 1 "$(sleeping)"
  expect "$name: whether a pidfd of the init says that it has ended" 0 "$(perl -e "$poll" $pid)"
  expect "$name state" stopped "$("$oci" --root "$T/state" state $id | sed -n 's/.*"status": "\(.*\)".*/\1/p')"
  status=0
  "$oci" --root "$T/state" kill $id KILL >"$T/log" 2>&1 || status=$?
  expect "$name kill ID KILL: exit status" 1 $status
  expect "$name: threads that sleep, after that" 1 "$(sleeping)"
  kill -KILL "$pid"
  while [[ $(sleeping 2>/dev/null) != 0 ]]; do sleep 0.1; done
  sleep 0.5
  "$oci" --root "$T/state" delete $id
  pid=
done
verdict
