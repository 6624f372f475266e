#!/bin/bash
# crun 1.21 (1.8.1 and 1.28 are alike) with cgroup v1: a paused container that is killed with SIGKILL stays paused and
# alive, and `crun kill` reports success. With runc 1.1.15 the same call thaws and ends it.
#
# Guess: nothing survives SIGKILL; as on cgroup v2, where the kernel itself lets a frozen process be killed.
# Cause: cgroup v1's freezer holds the process before it can act on any signal. runc thaws after SIGKILL, crun does not.
# It matters to: a shim with an interchangeable OCI runtime. It must resume after the kill, or its Wait hangs.
. "$(dirname "$0")/lib.sh"
need_root
[[ -d /sys/fs/cgroup/freezer ]] || skip 'the freezer of cgroup v1 is not mounted here'
own_mounts "$@"
id=finding-$$
cleanup() {
  for oci in "${runtimes[@]}"; do
    "$oci" --root "$T/state" resume $id
    sleep 0.5
    "$oci" --root "$T/state" delete --force $id
  done
}
unpack trixie runc=1.1.15+ds1-2+b4 crun=1.21-1 -- all
runtimes=("$T/trixie/usr/sbin/runc" "$T/trixie/usr/bin/crun")
own_libc trixie "${runtimes[@]}"
say "$("${runtimes[0]}" --version | head -n 1), $("${runtimes[1]}" --version | head -n 1), Linux $(uname -r)"
# crun takes no mixture of cgroup v1 and v2
umount /sys/fs/cgroup/unified 2>/dev/null || true
mkdir -p "$T/bundle/rootfs/proc"
compile bundle/rootfs/init -static <<'C'
#include <unistd.h>
int main(void) { return sleep(60); }
C
cd "$T/bundle"
"${runtimes[0]}" spec
sed -i 's/"terminal": true/"terminal": false/; s#"sh"#"/init"#' config.json
for oci in "${runtimes[@]}"; do
  name=${oci##*/} status=0
  oci() { "$oci" --root "$T/state" "$@"; }
  oci create $id </dev/null >"$T/log" 2>&1 || cannot "$name create: $(tail -n 1 "$T/log")"
  oci start $id
  oci pause $id
  oci kill $id KILL || status=$?
  sleep 2
  [[ $name == runc ]] && wanted=stopped || wanted=paused
  expect "$name kill ID KILL of a paused container: exit status" 0 $status
  expect "$name: its state two seconds later" $wanted "$(oci state $id | sed -n 's/.*"status": "\(.*\)".*/\1/p')"
  if [[ $wanted == paused ]]; then
    oci resume $id
    sleep 1
    expect "$name: its state after a resume" stopped "$(oci state $id | sed -n 's/.*"status": "\(.*\)".*/\1/p')"
  fi
  oci delete $id
done
verdict
