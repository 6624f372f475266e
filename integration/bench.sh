#!/usr/bin/env bash
# Measures this shim beside the Go shims on a containerd of its own; gets what is missing first
# (Debian, root).
#
#   integration/bench.sh [--quick | --full] [--out DIR]
#
# Writes raw.csv (every sample), env.json and summary.md to DIR (default target/bench). Medians and
# ratios mean something only on a machine that does nothing else.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"

size=quick
out=target/bench
while (($#)); do
  case $1 in
    --quick) size=quick ;;
    --full) size=full ;;
    --out)
      out=${2-}
      shift
      ;;
    *)
      sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
  shift
done

need_root
need_packages ca-certificates
JAVA_HOME=$(find_jdk 21 || need_jdk 21)
export JAVA_HOME
need_containerd
new_scope
trap end_scope EXIT
trap 'exit 130' INT TERM HUP

mkdir -p "$out"
./mvnw -q -B -DskipTests package >target/bench-build.log 2>&1 </dev/null || die "the build failed: target/bench-build.log"
mkdir -p "$SCOPE/prefix/etc"
printf 'run_dir=%s\nlinger_seconds=4\n' "$SCOPE/run" >"$SCOPE/prefix/etc/loomshim.conf"
integration/install.sh --prefix "$SCOPE/prefix" >/dev/null
make_rootfs "$SCOPE/rootfs"
mkdir -p "$SCOPE/spec"
(cd "$SCOPE/spec" && runc spec)
sed -i -e 's/"terminal": true/"terminal": false/' -e "s|\"path\": \"rootfs\"|\"path\": \"$SCOPE/rootfs\"|" \
  -e 's|"sh"$|"/bin/true"|' -e "s|\"linux\": {|\"linux\": {\"cgroupsPath\": \"/$NAMESPACE/@ID@\",|" \
  "$SCOPE/spec/config.json"
export PATH=$SCOPE/prefix/bin:$PATH
containerd_start PATH="$PATH"

quoted() { printf '"%s"' "$(printf %s "$1" | tr '\n\t' '  ' | sed 's/[\\"]/\\&/g')"; }
{
  printf '{\n'
  printf '  "size": %s,\n' "$(quoted "$size")"
  printf '  "cpu": %s,\n' "$(quoted "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)")"
  printf '  "cores": %s,\n' "$(nproc)"
  printf '  "memory_kb": %s,\n' "$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)"
  printf '  "kernel": %s,\n' "$(quoted "$(uname -r)")"
  printf '  "cgroup": %s,\n' "$([[ -e /sys/fs/cgroup/cgroup.controllers ]] && echo 2 || echo 1)"
  printf '  "jdk": %s,\n' "$(quoted "$(sed -n 's/^JAVA_RUNTIME_VERSION="\(.*\)"/\1/p' "$JAVA_HOME/release")")"
  printf '  "containerd": %s,\n' "$(quoted "$(containerd --version | cut -d ' ' -f 3)")"
  printf '  "runc": %s,\n' "$(quoted "$(runc --version | sed -n 's/^runc version //p')")"
  printf '  "load_before": %s\n' "$(quoted "$(cut -d ' ' -f 1-3 /proc/loadavg)")"
  printf '}\n'
} >"$out/env.json"

lib=$SCOPE/prefix/lib/loomshim
classes=$(printf '%s:' "$lib"/*.jar)
"$JAVA_HOME/bin/java" -Xmx256m -XX:+IgnoreUnrecognizedVMOptions "-Djffi.boot.library.path=$lib/native" -cp "$classes" integration/bench/Bench.java \
  "$SCOPE" "$NAMESPACE" "$out" "$size"
