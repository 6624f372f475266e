#!/usr/bin/env bash
# Shows where the time of a warm `ctr run --rm` of true goes: who works between which processes, with this shim and
# with the Go shims, from the kernel's trace of exec and exit (Debian, root, tracefs).
#
#   bench/timeline.sh [--runs N] [--sides NAME,...]
#
#   --runs    of each side, in turn, 50 ms of pause before each; default 40
#   --sides   loom, runc.v1, runc.v2 (default: all)
#
# Prints the median of each interval in milliseconds. Means something only on a machine that does nothing else; another
# runc or ctr that starts meanwhile spoils a run. docs/BENCHMARKS.md has a result.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. bench/measure.sh

readonly SIDES=loom,runc.v1,runc.v2
arguments runs,sides "$@"
runs=${given[runs]-40} sides=${given[sides]-$SIDES}
[[ $runs =~ ^[1-9][0-9]{0,3}$ ]] || refuse "--runs ${runs@Q} is not a number from 1 to 9999"
named --sides "$sides" "$SIDES"

need_sides "$sides"
mkdir -p target
prepare target/timeline-build.log
install_side loom "$JAVA_HOME" linger_seconds=4

tracing=$SCOPE/tracing
mkdir "$tracing"
mount -t tracefs tracefs "$tracing" || die "no tracefs here: the kernel has no ftrace, or may not be asked"
instance=$tracing/instances/$NAMESPACE
stop_tracing() {
  [[ ! -d $instance ]] || rmdir "$instance"
  umount "$tracing"
}
trap 'stop_tracing; finish' EXIT
mkdir "$instance"
echo 4096 >"$instance/buffer_size_kb"
for event in exec exit; do echo 1 >"$instance/events/sched/sched_process_$event/enable"; done

containerd_start PATH="$PATH"
names=()
while read -rd , side; do names+=("$side"); done <<<"$sides,"
# ctr_run SIDE OPTION... ID COMMAND...: a container of the root file system.
ctr_run() {
  local runtime=io.containerd.$1
  [[ $1 == *.v* ]] || runtime+=.v1
  ctr --address "$SCOPE/containerd.sock" --namespace "$NAMESPACE" run --runtime "$runtime" "${@:2}"
}
for side in "${names[@]}"; do
  # with it a shim that serves several is there
  ctr_run "$side" --detach --rootfs "$SCOPE/rootfs" "keep-${side//./-}" /bin/sleep 100000 || die "no container with $side"
done

raw=$SCOPE/raw
for ((run = 0; run < runs; run++)); do
  for side in "${names[@]}"; do
    sleep 0.05
    : >"$instance/trace"
    ctr_run "$side" --rm --rootfs "$SCOPE/rootfs" "run-$run-${side//./-}" /bin/true </dev/null || die "a run failed"
    printf 'run %s\n' "$side"
    grep -E 'sched_process_(exec|exit):' "$instance/trace"
  done
done >"$raw"

# A line for each run: its side, then milliseconds. Of a program that executes itself again the first counts.
awk '
  function span(from, to) { return (from in at && to in at) ? (at[to] - at[from]) * 1000 : "" }
  function done() {
    if (!side) return
    print side, span("ctr", "begin"), span("begin", "begun"), span("begun", "create"), span("create", "created"), \
      span("created", "program"), span("start", "started"), span("program", "ended"), span("ended", "delete"), \
      span("remove", "removed"), span("delete", "deleted"), span("deleted", "end"), span("ctr", "end")
  }
  function mark(name) { if (!(name in at)) at[name] = time }
  BEGIN { OFS = "\t" }
  $1 == "run" { done(); delete at; delete of; runc = shim = 0; side = $2; next }
  {
    match($0, /[0-9]+\.[0-9]+: sched_/)
    time = substr($0, RSTART) + 0
    pid = $0
    sub(/.* pid=/, "", pid)
    pid += 0
  }
  /sched_process_exec/ {
    file = $0
    sub(/.*filename=/, "", file)
    sub(/ pid=.*/, "", file)
    sub(/.*\//, "", file)
    if (pid in of) next
    if (file == "ctr") { mark("ctr"); of[pid] = "end" }
    else if (file ~ /^containerd-shim-/) {
      # the second one of the Go shims is the shim that serves
      if (!("begin" in at)) { mark("begin"); of[pid] = "begun" }
      else if ("ended" in at && !("delete" in at)) { mark("delete"); of[pid] = "deleted" }
    }
    else if (file == "runc" || $0 ~ /filename=\/proc\/[0-9]+\/fd\//) {
      runc++
      if (runc == 1) { mark("create"); of[pid] = "created" }
      else if (!("program" in at) && !("start" in at)) { mark("start"); of[pid] = "started" }
      else if ("ended" in at && !("remove" in at)) { mark("remove"); of[pid] = "removed" }
    }
    else if (file == "true") { mark("program"); of[pid] = "ended" }
  }
  /sched_process_exit/ && pid in of { mark(of[pid]) }
  END { done() }
' "$raw" >"$SCOPE/spans"

median() {
  local values
  mapfile -t values < <(awk -F'\t' -v side="$1" -v column="$2" '$1 == side && $column != "" { print $column }' "$SCOPE/spans" | sort -n)
  # of what most runs do without there is no median
  ((2 * ${#values[@]} <= runs)) || printf '%.1f' "${values[${#values[@]} / 2]}"
}
labels=('ctr, until the shim is asked' 'the shim: start' 'containerd, the shim, until runc' 'runc create'
  'the shim, containerd, ctr, until the program' '  of this runc start' 'the program'
  'the shim, containerd, ctr, until delete' '  of this runc delete' 'the shim: delete' 'containerd, ctr, until the end' 'all')
printf '| ms'
printf ' | %s' "${names[@]}"
printf ' |\n|---%s|\n' "${names[*]/*/|---}"
for i in "${!labels[@]}"; do
  printf '| %s' "${labels[i]}"
  for side in "${names[@]}"; do printf ' | %s' "$(median "$side" $((i + 2)))"; done
  printf ' |\n'
done
