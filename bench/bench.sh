#!/usr/bin/env bash
# Measures this shim beside the Go shims on a containerd of its own; gets what is missing first
# (Debian, root).
#
#   bench/bench.sh [--quick | --full | --smoke] [--only NAME,...] [--sides NAME,...] [--without NAME,...]
#                  [--with NAME,...] [--before DIR] [--out DIR]
#   bench/bench.sh --report DIR     makes the tables and plots in DIR again
#   bench/bench.sh --publish DIR    the same, then copies the raw data to docs/bench, and puts the
#                                   picture into README.md, tables and plots into docs/BENCHMARKS.md
#
#   --quick   a few minutes (default); --full up to 25; --smoke only shows that everything works
#   --only    run, start, exec, calls, connections, streams, churn, density, hang (default: all these), beside
#   --sides   loom, loom-each, runc.v1, runc.v2, runc.v2-group, floor (default: all)
#   --without what the side loom does not do to make runc faster: early, native, spawner, sealed (settings
#             early_cgroup_wait, native_runc, spawn_apart, sealed_runtime); with `--before .` the side loom-before
#             does it all
#   --with    what only the side loom does: take_over (the setting); with `--before .` the price of it
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

readonly SCENARIOS=run,start,exec,calls,connections,streams,churn,density,hang,beside
readonly SIDES=loom,runc.v1,runc.v2,runc.v2-group,loom-each,floor
readonly SHORTCUTS=early,native,spawner,sealed
readonly EXTRAS=take_over
declare -A off=([early]=early_cgroup_wait=false [native]=native_runc=false [spawner]=spawn_apart=false
  [sealed]=sealed_runtime=false)
arguments only,sides,without,with,before,out,report,publish "$@"
size=${given[size]-quick} out=${given[out]-target/bench} before=${given[before]-}
# thousands of containers for one figure: only when it is asked for
only=${given[only]-${SCENARIOS%,beside}} sides=${given[sides]-$SIDES}
named --only "$only" "$SCENARIOS"
named --sides "$sides" "$SIDES"
settings=()
if [[ -n ${given[without]-} ]]; then
  named --without "${given[without]}" "$SHORTCUTS"
  for name in ${given[without]//,/ }; do settings+=("${off[$name]}"); done
fi
if [[ -n ${given[with]-} ]]; then
  named --with "${given[with]}" "$EXTRAS"
  settings+=(take_over=true)
fi
[[ -z $before || -x $before/mvnw ]] || refuse "--before $before is not a checkout of this repository"

again report.Report report.Publish

need_sides "$sides"
mkdir -p "$out" target
out=$(realpath "$out")
prepare target/bench-build.log
install_side loom "$JAVA_HOME" linger_seconds=4 "${settings[@]}"
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
