#!/usr/bin/env bash
# Measures this shim beside the Go shims on a containerd of its own; gets what is missing first
# (Debian, root).
#
#   integration/bench.sh [--quick | --full | --smoke] [--only NAME,...] [--sides NAME,...] [--before DIR] [--out DIR]
#   integration/bench.sh --report DIR     makes the tables and plots in DIR again
#   integration/bench.sh --publish DIR    the same, then copies the raw data to docs/bench and puts
#                                         tables and plots into README.md and docs/BENCHMARKS.md
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
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. integration/measure.sh

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

size=quick out=target/bench report='' publisher='' before=''
only=run,start,exec,calls,connections,streams,churn,density,hang
sides=loom,runc.v1,runc.v2,runc.v2-group,loom-each,floor
while (($#)); do
  case $1 in
    --quick | --full | --smoke) size=${1#--} ;;
    --only | --sides | --before | --out | --report | --publish)
      (($# > 1)) || usage
      case $1 in
        --only) only=$2 ;;
        --sides) sides=$2 ;;
        --before) before=$2 ;;
        --out) out=$2 ;;
        --report) report=$2 ;;
        --publish) report=$2 publisher=Publish ;;
      esac
      shift
      ;;
    *) usage ;;
  esac
  shift
done

if [[ -n $report ]]; then
  again "$report" Report "$publisher"
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
  [[ -x $before/integration/install.sh ]] || die "--before $before is no checkout of this repository"
  checkout=$before install_side loom-before "$JAVA_HOME" linger_seconds=4
  revision=$(git -C "$before" describe --always --dirty --abbrev=12)
  sides=${sides/loom,/loom,loom-before,}
  [[ ,$sides, == *,loom-before,* ]] || sides+=,loom-before
fi
containerd_start PATH="$PATH"

status=0
measure Bench "$SCOPE" "$NAMESPACE" "$out" "$size" "$only" "$sides" "$revision" || status=$?
"$JAVA_HOME/bin/java" -cp "$SCOPE/classes" Report "$out"
((status == 0)) || die "not every scenario was measured"
nothing_left
