#!/usr/bin/env bash
# Shows how long clients wait when a daemon with take_over=true is killed with SIGKILL: from the kill to the first
# answer of the next daemon, on a connection that goes on. Gets what is missing first (Debian, root).
#
#   bench/pause.sh [--containers N,N…] [--kills N] [--jdk N]
#
#   --containers  beside which the daemon is killed; default 200,1000
#   --kills       at each of these numbers; default 9
#   --jdk         25 by default
#
# Prints a table with the median, the shortest and the longest pause, and how busy the machine was before. Means
# something only on a machine that does nothing else.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. bench/measure.sh

arguments containers,kills,jdk "$@"
containers=${given[containers]-200,1000} kills=${given[kills]-9} jdk=${given[jdk]-25}
[[ $containers =~ ^[1-9][0-9]{0,3}(,[1-9][0-9]{0,3})*$ ]] || refuse "--containers ${containers@Q} is no list of numbers"
[[ $kills =~ ^[1-9][0-9]{0,2}$ ]] || refuse "--kills ${kills@Q} is not a number from 1 to 999"

need_root
JAVA_HOME=$(find_jdk "$jdk" "$jdk" || need_jdk "$jdk")
export JAVA_HOME
need_containerd
load=$(cut -d ' ' -f 1 /proc/loadavg)
mkdir -p target
prepare target/pause-build.log
# a holder gives up at the third death within a minute otherwise
install_side loom "$JAVA_HOME" linger_seconds=1 take_over=true "java_options='-Dloomshim.deaths.seconds=0'"
containerd_start PATH="$PATH"
IFS=, read -ra counts <<<"$containers"
measure loom.Pause "$SCOPE" "$NAMESPACE" loom "$SCOPE/r/loom" "$kills" "${counts[@]}"
say "load average before: $load"
nothing_left
