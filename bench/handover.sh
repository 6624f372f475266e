#!/usr/bin/env bash
# Shows what it takes to wake a virtual thread: a flame graph of a daemon that serves State on many connections, by
# async-profiler inside it. Gets what is missing first (Debian, root); a minute and a half.
#
#   bench/handover.sh [--side SIDE] [--connections N] [--out DIR]
#
#   --side         virtual-25 (default), virtual-21, virtual-27, or platform with one of these numbers
#   --connections  50 by default; with one, the daemon takes a platform thread for it
#   --out          default target/handover
#
# Writes handover-SIDE.html (the flame graph) and handover-SIDE.txt (its stacks), and prints which part of the processor
# time went into what. docs/LOOM.md explains it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. bench/measure.sh

readonly SIDES=virtual-21,virtual-25,virtual-27,platform-21,platform-25,platform-27
readonly PROFILER=4.6
arguments side,connections,out "$@"
side=${given[side]-virtual-25} connections=${given[connections]-50} out=${given[out]-target/handover}
named --side "$side" "$SIDES"
[[ $connections =~ ^[1-9][0-9]{0,3}$ ]] || refuse "--connections $connections is not a number from 1 to 9999"

need_root
jdk=${side##*-}
JAVA_HOME=$(find_jdk "$jdk" "$jdk" || need_jdk "$jdk")
export JAVA_HOME
need_containerd
mkdir -p "$out" target
out=$(realpath "$out")
prepare target/handover-build.log
./mvnw -q -B dependency:copy "-Dartifact=tools.profiler:async-profiler:$PROFILER" "-DoutputDirectory=$SCOPE" </dev/null ||
  die "async-profiler cannot be had"
case $(uname -m) in
  x86_64) library=linux-x64 ;;
  aarch64) library=linux-arm64 ;;
  *) die "no async-profiler for $(uname -m)" ;;
esac
(cd "$SCOPE" && "$JAVA_HOME/bin/jar" --extract --file "async-profiler-$PROFILER.jar" "$library/libasyncProfiler.so")
# frames of the JIT's code are found without a pause at a safepoint only with this
install_side "$side" "$JAVA_HOME" linger_seconds=1 "threads=${side%-*}" \
  "java_options='-XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints -XX:+EnableDynamicAgentLoading'"
containerd_start PATH="$PATH"
measure loom.Handover "$SCOPE" "$NAMESPACE" "$out" "$side" "$connections" "$SCOPE/$library/libasyncProfiler.so" \
  "$JAVA_HOME/bin/jcmd"
nothing_left
