#!/usr/bin/env bash
# Measures this shim beside the Go shims on a containerd of its own; gets what is missing first
# (Debian, root).
#
#   integration/bench.sh [--quick | --full | --smoke] [--only NAME,...] [--sides NAME,...] [--out DIR]
#   integration/bench.sh --report DIR     makes the tables and plots in DIR again
#   integration/bench.sh --publish DIR    the same, then copies the raw data to docs/bench and puts
#                                         tables and plots into README.md and docs/BENCHMARKS.md
#
#   --quick   a few minutes (default); --full up to 25; --smoke only shows that everything works
#   --only    run, start, exec, calls, connections, streams, churn, density (default: all)
#   --sides   loom, loom-each, runc.v1, runc.v2, runc.v2-group, floor (default: all)
#   --out     default target/bench
#
# Writes raw.csv (every sample), env.json, skipped.csv, summary.md and plots. Medians and ratios mean
# something only on a machine that does nothing else. docs/BENCHMARKS.md says how it is measured.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

size=quick out=target/bench report='' publish=false
only=run,start,exec,calls,connections,streams,churn,density
sides=loom,runc.v1,runc.v2,runc.v2-group,loom-each,floor
while (($#)); do
  case $1 in
    --quick | --full | --smoke) size=${1#--} ;;
    --only | --sides | --out | --report | --publish)
      (($# > 1)) || usage
      case $1 in
        --only) only=$2 ;;
        --sides) sides=$2 ;;
        --out) out=$2 ;;
        --report) report=$2 ;;
        --publish) report=$2 publish=true ;;
      esac
      shift
      ;;
    *) usage ;;
  esac
  shift
done

# compile DIR CLASSPATH: the programs in integration/bench.
compile() {
  "$JAVA_HOME/bin/javac" -nowarn -d "$1" -cp "$2" integration/bench/*.java
}

# The figures of an earlier run, without measuring anything.
if [[ -n $report ]]; then
  [[ -r $report/raw.csv ]] || die "no raw.csv in $report"
  JAVA_HOME=$(find_jdk 21) || die "no JDK 21 or newer; set JAVA_HOME"
  export JAVA_HOME
  [[ -e target/loomshim/lib/loomshim.jar ]] || ./mvnw -q -B -DskipTests package </dev/null
  classes=$(mktemp -d)
  trap 'rm -rf "$classes"' EXIT
  compile "$classes" "$(printf '%s:' target/loomshim/lib/*.jar)"
  "$JAVA_HOME/bin/java" -cp "$classes" Report "$report"
  ! $publish || "$JAVA_HOME/bin/java" -cp "$classes" Publish "$report" .
  exit 0
fi

need_root
need_packages ca-certificates
JAVA_HOME=$(find_jdk 21 || need_jdk 21)
export JAVA_HOME
need_containerd
for side in ${sides//,/ }; do
  program=${side%-group}
  [[ $side != runc.* ]] || need_command "containerd-shim-${program//./-}" containerd
done
mkdir -p "$out" target
out=$(realpath "$out")
./mvnw -q -B -DskipTests package >target/bench-build.log 2>&1 </dev/null || die "the build failed: target/bench-build.log"

# Whatever ends us, nothing of this run stays: first what starts containers, then containerd, which
# would tell of tasks that go; then everything that has our mark.
measuring=
finish() {
  local status=$?
  trap '' INT TERM HUP
  if [[ -n $measuring ]]; then
    say "ending what runs"
    kill -KILL "$measuring" 2>/dev/null || true
    wait "$measuring" 2>/dev/null || true
    remember_sockets
    containerd_stop
  fi
  end_scope
  exit "$status"
}
new_scope
trap finish EXIT
trap 'exit 130' INT TERM HUP

mkdir -p "$SCOPE/prefix/etc" "$SCOPE/spec" "$SCOPE/classes"
printf 'run_dir=%s\nlinger_seconds=4\n' "$SCOPE/run" >"$SCOPE/prefix/etc/loomshim.conf"
integration/install.sh --prefix "$SCOPE/prefix" >/dev/null
if [[ ,$sides, == *,loom-each,* ]]; then
  mkdir -p "$SCOPE/each/etc"
  printf 'run_dir=%s\nlinger_seconds=0\nmode=container\n' "$SCOPE/each/run" >"$SCOPE/each/etc/loomshim.conf"
  integration/install.sh --prefix "$SCOPE/each" >/dev/null
  ln -s "$SCOPE/each/bin/containerd-shim-loom-v1" "$SCOPE/prefix/bin/containerd-shim-loomeach-v1"
fi
make_rootfs "$SCOPE/rootfs"
(cd "$SCOPE/spec" && runc spec)
sed -i -e 's/"terminal": true/"terminal": false/' -e "s|\"path\": \"rootfs\"|\"path\": \"$SCOPE/rootfs\"|" \
  -e 's|^\(\t*\)"sh"$|\1@ARGS@|' -e "s|\"linux\": {|\"linux\": {\"cgroupsPath\": \"/$NAMESPACE/@ID@\",|" \
  "$SCOPE/spec/config.json"
lib=$SCOPE/prefix/lib/loomshim/current
classes=$(printf '%s:' "$lib"/*.jar)
compile "$SCOPE/classes" "$classes"
export PATH=$SCOPE/prefix/bin:$PATH
containerd_start PATH="$PATH"

quiet=(--enable-native-access=ALL-UNNAMED)
(($(jdk_version "$JAVA_HOME") < 24)) || quiet+=(--sun-misc-unsafe-memory-access=allow)
# in the background: a trap must not have to wait for it
"$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC "${quiet[@]}" "-Djffi.boot.library.path=$lib/native" \
  -cp "$SCOPE/classes:$classes" Bench "$SCOPE" "$NAMESPACE" "$out" "$size" "$only" "$sides" </dev/null &
measuring=$!
status=0
wait "$measuring" || status=$?
measuring=
"$JAVA_HOME/bin/java" -cp "$SCOPE/classes" Report "$out"
((status == 0)) || die "not every scenario was measured"
end_scope
left=$(leftovers)
[[ -z $left ]] || die "left behind: $left"
