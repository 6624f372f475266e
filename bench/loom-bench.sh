#!/usr/bin/env bash
# Compares what the threads of this shim may be, on JDK 21 and 25, with two Go shims beside them; gets
# what is missing first (Debian, root).
#
#   bench/loom-bench.sh [--quick | --full | --smoke] [--only AXIS,...] [--sides NAME,...]
#                       [--cell SIDE:N | SIDE:AXIS:N,...] [--out DIR]
#   bench/loom-bench.sh --report DIR     makes the page in DIR again
#   bench/loom-bench.sh --publish DIR    the same, then copies page and raw data to docs/loom and
#                                        puts the short tables into docs/LOOM.md
#
#   --quick   a few minutes (default); --full up to 25; --smoke only shows that everything works
#   --only    waits, execs, callers (default: all)
#   --sides   virtual-25, platform-25, fixed64-25, pinned-25, the same with -21, runc.v2-group, runc.v1
#             (default: all)
#   --cell    only these places, as often as --full, --quick or --smoke says: virtual-25:500 is 500
#             containers with a blocked Wait each, virtual-25:execs:50 fifty execs at once
#   --out     default target/loom-bench
#
# Writes report.html, raw.csv (every sample), failures.csv (what was refused or hung), skipped.csv,
# env.json and summary.md. The figures mean something only on a machine that does nothing else.
# docs/LOOM.md says what for, the page itself how it is measured.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. bench/measure.sh

size=quick out=target/loom-bench report='' publisher='' cells=''
readonly AXES=waits,execs,callers
readonly SIDES=virtual-25,platform-25,virtual-21,platform-21,fixed64-25,fixed64-21,runc.v2-group,pinned-21,pinned-25,runc.v1
only=$AXES sides=$SIDES
while (($#)); do
  case $1 in
    --quick | --full | --smoke) size=${1#--} ;;
    --only | --sides | --cell | --out | --report | --publish)
      [[ -n ${2-} ]] || refuse "$1 needs a value"
      case $1 in
        --only) only=$2 ;;
        --sides) sides=$2 ;;
        --cell) cells=$2 ;;
        --out) out=$2 ;;
        --report) report=$2 ;;
        --publish) report=$2 publisher=loom.LoomPublish ;;
      esac
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) refuse "unknown argument $1" ;;
  esac
  shift
done
named --only "$only" "$AXES"
for cell in ${cells//,/ }; do
  [[ $cell =~ ^([^:]+):(([a-z]+):)?[1-9][0-9]*$ ]] || refuse "--cell $cell is not SIDE:N or SIDE:AXIS:N"
  named "--cell $cell, side" "${BASH_REMATCH[1]}" "$SIDES"
  named "--cell $cell, axis" "${BASH_REMATCH[3]:-waits}" "$AXES"
done
named --sides "$sides" "$SIDES"

if [[ -n $report ]]; then
  again "$report" loom.LoomReport "$publisher"
  exit 0
fi
# of the sides only those that have one of the cells
if [[ -n $cells ]]; then
  sides=$(tr , '\n' <<<"$cells" | cut -d : -f 1 | awk '!seen[$0]++' | paste -s -d ,)
fi

need_root
need_packages ca-certificates
declare -A home
for jdk in 21 25; do
  [[ ,$sides, != *-$jdk,* ]] || home[$jdk]=$(need_jdk "$jdk")
done
JAVA_HOME=${home[25]-${home[21]-$(find_jdk 21 || need_jdk 21)}}
export JAVA_HOME
need_containerd
go_shims "$sides"
mkdir -p "$out" target
out=$(realpath "$out")
prepare target/loom-bench-build.log
for side in ${sides//,/ }; do
  jdk=${side##*-} kind=${side%-*}
  settings=(linger_seconds=1 "threads=${kind/64/:64}")
  # a carrier for each of 64 threads that hold theirs: with two the daemon would not even start
  [[ $kind != pinned ]] || settings+=(
    "java_options='-Djdk.virtualThreadScheduler.parallelism=64 -Djdk.virtualThreadScheduler.maxPoolSize=64'")
  [[ $side == runc.* ]] || install_side "$side" "${home[$jdk]}" "${settings[@]}"
done
containerd_start PATH="$PATH"

status=0
measure loom.LoomBench "$SCOPE" "$NAMESPACE" "$out" "$size" "$only" "$sides" "$cells" || status=$?
"$JAVA_HOME/bin/java" -cp "$class_path" io.loomshim.bench.loom.LoomReport "$out"
((status == 0)) || die "not every axis was measured"
nothing_left
