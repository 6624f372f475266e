#!/usr/bin/env bash
# Compares what the threads of this shim may be, on JDK 21, 25 and 27, with an event loop and two Go shims beside
# them; gets what is missing first (Debian, root).
#
#   bench/loom-bench.sh [--quick | --full | --smoke] [--only AXIS,...] [--sides NAME,...]
#                       [--cell SIDE:N | SIDE:AXIS:N,...] [--out DIR]
#   bench/loom-bench.sh --report DIR     makes the page in DIR again
#   bench/loom-bench.sh --publish DIR    the same, then copies page and raw data to docs/loom and
#                                        puts the short tables into docs/LOOM.md
#
#   --quick   under 5 minutes (default), some of the sides; --full up to 45, all of them; --smoke only shows that
#             everything works
#   --only    waits, parked, execs, callers (default: all)
#   --sides   virtual-25, platform-25, loop-25 (an event loop), the same with -21 and -27, platformlean-25 (small
#             stacks), fixed64-25, fixed64-21, fixed512-25, pinned-25, pinned-21, runc.v2-group, runc.v1
#   --cell    only these places, as often as --full, --quick or --smoke says: virtual-25:500 is 500
#             containers with a blocked Wait each, virtual-25:execs:50 fifty execs at once,
#             virtual-25:parked:5000 as many Waits for one process, virtual-25:callers:500 busy connections
#   --out     default target/loom-bench
#
# Writes report.html, raw.csv (every sample), failures.csv (what was refused or hung), skipped.csv,
# env.json and summary.md. The figures mean something only on a machine that does nothing else; one that had other
# work is told of, here and on the page. docs/LOOM.md says what for, the page itself how it is measured.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"
# before our own build
LOAD_BEFORE=$(</proc/loadavg)
# shellcheck source-path=SCRIPTDIR source=measure.sh
. bench/measure.sh

readonly AXES=waits,parked,execs,callers
readonly SIDES=virtual-25,platform-25,loop-25,virtual-27,virtual-21,platform-27,platform-21,loop-27,loop-21,platformlean-25,fixed64-25,fixed64-21,fixed512-25,runc.v2-group,pinned-21,pinned-25,runc.v1
# what fits into five minutes
readonly SIDES_QUICK=virtual-25,platform-25,loop-25,virtual-27,virtual-21,runc.v2-group
arguments only,sides,cell,out,report,publish "$@"
size=${given[size]-quick} out=${given[out]-target/loom-bench} cells=${given[cell]-}
only=${given[only]-$AXES} sides=$SIDES
[[ $size != quick ]] || sides=$SIDES_QUICK
sides=${given[sides]-$sides}
named --only "$only" "$AXES"
for cell in ${cells//,/ }; do
  [[ $cell =~ ^([^:]+):(([a-z]+):)?[1-9][0-9]*$ ]] || refuse "--cell $cell is not SIDE:N or SIDE:AXIS:N"
  named "--cell $cell, side" "${BASH_REMATCH[1]}" "$SIDES"
  named "--cell $cell, axis" "${BASH_REMATCH[3]:-waits}" "$AXES"
done
named --sides "$sides" "$SIDES"

again loom.LoomReport loom.LoomPublish
# of the sides only those that have one of the cells
if [[ -n $cells ]]; then
  sides=$(tr , '\n' <<<"$cells" | cut -d : -f 1 | awk '!seen[$0]++' | paste -s -d ,)
fi

# Of platform threads: no larger stack than the daemon needs, and no allocation buffer that waits for its next use.
readonly LEAN='-Xss192k -XX:TLABSize=4k -XX:-ResizeTLAB'

# loop_distribution: the distribution once more, with Netty beside the jar and the daemon of bench/src in front of it.
loop_distribution() {
  local there=$SCOPE/loop-distribution classes=$SCOPE/loop-classes
  # what the jar's own manifest names, and Netty
  ./mvnw -q -B dependency:copy-dependencies -DincludeGroupIds=io.netty "-DoutputDirectory=$SCOPE/netty" \
    -Dmdep.useRepositoryLayout=false </dev/null >>target/loom-bench-build.log 2>&1 || die "Netty cannot be had"
  cp -R target/loomshim "$there"
  cp "$SCOPE"/netty/*.jar "$there/lib/"
  mkdir -p "$classes/io/loomshim/bench"
  cp -R target/test-classes/io/loomshim/bench/{loop,rpc} "$classes/io/loomshim/bench/"
  {
    printf 'Main-Class: io.loomshim.bench.loop.LoopMain\nClass-Path:'
    # a line that begins with a blank goes on with the value before it
    find "$there/lib" -name '*.jar' ! -name loomshim.jar -printf ' %f\n ' | sed '$d'
  } >"$SCOPE/loop.mf"
  "$JAVA_HOME/bin/jar" --update --file "$there/lib/loomshim.jar" --manifest "$SCOPE/loop.mf" -C "$classes" . 2>/dev/null
  sed 's/io\.loomshim\.training\.Training/io.loomshim.bench.loop.LoopTraining/' packaging/install.sh >"$there/install.sh"
  chmod 755 "$there/install.sh"
}

# the_jdk NUMBER: prints the home of a JDK of that release and no other; nothing where none can be had.
the_jdk() {
  find_jdk "$1" "$1" && return 0
  (need_jdk "$1" >/dev/null) || return 0
  find_jdk "$1" "$1" || true
}

need_root
need_packages ca-certificates
declare -A home
for jdk in 21 25 27; do
  [[ ,$sides, == *-$jdk,* ]] || continue
  home[$jdk]=$(the_jdk "$jdk")
  [[ -z ${home[$jdk]} ]] || continue
  say "JDK $jdk cannot be had here: its sides are left out"
  sides=$(tr , '\n' <<<"$sides" | grep -v -e "-$jdk\$" | paste -s -d ,) || die "no side is left"
done
JAVA_HOME=${home[25]:-${home[21]:-$(find_jdk 21 || need_jdk 21)}}
export JAVA_HOME
need_containerd
go_shims "$sides"
mkdir -p "$out" target
out=$(realpath "$out")
prepare target/loom-bench-build.log
[[ ,$sides, != *,loop-* ]] || loop_distribution
for side in ${sides//,/ }; do
  [[ $side != runc.* ]] || continue
  jdk=${side##*-} kind=${side%-*} installer=packaging/install.sh
  settings=(linger_seconds=1)
  case $kind in
    fixed*) settings+=("threads=fixed:${kind#fixed}") ;;
    platformlean) settings+=(threads=platform "java_options='$LEAN'") ;;
    loop) installer=$SCOPE/loop-distribution/install.sh ;;
    # a carrier for each of 64 threads that hold theirs: with two the daemon would not even start
    pinned) settings+=(threads=pinned
      "java_options='-Djdk.virtualThreadScheduler.parallelism=64 -Djdk.virtualThreadScheduler.maxPoolSize=64'") ;;
    *) settings+=("threads=$kind") ;;
  esac
  install_side "$side" "${home[$jdk]}" "${settings[@]}"
done
containerd_start PATH="$PATH"

status=0
measure loom.LoomBench "$SCOPE" "$NAMESPACE" "$out" "$size" "$only" "$sides" "$cells" || status=$?
"$JAVA_HOME/bin/java" -cp "$class_path" io.loomshim.bench.loom.LoomReport "$out"
((status == 0)) || die "not every axis was measured"
nothing_left
