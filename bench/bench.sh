#!/usr/bin/env bash
# Measures this shim beside the Go shims on a containerd of its own; gets what is missing first
# (Debian, root).
#
#   bench/bench.sh [--quick | --full | --smoke] [--only NAME,...] [--sides NAME,...] [--before DIR] [--out DIR]
#   bench/bench.sh --report DIR     makes the tables and plots in DIR again
#   bench/bench.sh --publish DIR    the same, then copies the raw data to docs/bench and puts
#                                   tables and plots into README.md and docs/BENCHMARKS.md
#
#   --quick   a few minutes (default); --full up to 25; --smoke only shows that everything works
#   --only    run, start, exec, calls, connections, streams, churn, density, hang (default: all)
#   --sides   loom, loom-each, runc.v1, runc.v2, runc.v2-group, floor (default: all)
#   --before  a checkout of an earlier commit, which is built if need be: one side more, and a column with
#             the ratio to it
#   --out     default target/bench
#
# Writes raw.csv (every sample), env.json, skipped.csv, summary.md and plots. Medians and ratios mean
# something only on a machine that does nothing else. docs/BENCHMARKS.md says how it is measured.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. bench/measure.sh

size=quick out=target/bench report='' publisher='' before=''
readonly SCENARIOS=run,start,exec,calls,connections,streams,churn,density,hang
readonly SIDES=loom,runc.v1,runc.v2,runc.v2-group,loom-each,floor
only=$SCENARIOS sides=$SIDES
while (($#)); do
  case $1 in
    --quick | --full | --smoke) size=${1#--} ;;
    --only | --sides | --before | --out | --report | --publish)
      [[ -n ${2-} ]] || refuse "$1 needs a value"
      case $1 in
        --only) only=$2 ;;
        --sides) sides=$2 ;;
        --before) before=$2 ;;
        --out) out=$2 ;;
        --report) report=$2 ;;
        --publish) report=$2 publisher=report.Publish ;;
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
named --only "$only" "$SCENARIOS"
named --sides "$sides" "$SIDES"
[[ -z $before || -x $before/mvnw ]] || refuse "--before $before is no checkout of this repository"

if [[ -n $report ]]; then
  again "$report" report.Report "$publisher"
  exit 0
fi

need_root
need_packages ca-certificates
JAVA_HOME=$(find_jdk 21 || need_jdk 21)
export JAVA_HOME
need_containerd
go_shims "$sides"
mkdir -p "$out" target
out=$(realpath "$out")
prepare target/bench-build.log
install_side loom "$JAVA_HOME" linger_seconds=4
[[ ,$sides, != *,loom-each,* ]] || install_side loom-each "$JAVA_HOME" linger_seconds=0 mode=container
revision=
if [[ -n $before ]]; then
  checkout=$before install_side loom-before "$JAVA_HOME" linger_seconds=4
  revision=$(build_of "$before")
  sides=${sides/loom,/loom,loom-before,}
  [[ ,$sides, == *,loom-before,* ]] || sides+=,loom-before
fi
containerd_start PATH="$PATH"

status=0
measure scenario.Bench "$SCOPE" "$NAMESPACE" "$out" "$size" "$only" "$sides" "$revision" || status=$?
"$JAVA_HOME/bin/java" -cp "$class_path" io.loomshim.bench.report.Report "$out"
((status == 0)) || die "not every scenario was measured"
nothing_left
