#!/usr/bin/env bash
# The long versions of everything that docs/RELIABILITY.md promises; gets what is missing first
# (Debian, root).
#
#   bench/soak.sh                             10 000 create-to-delete cycles with 100 000 State
#                                             calls and 5000 execs, then the long tests: an hour
#   bench/soak.sh --cycles N | --minutes N    only the cycles: so many, or for so long
#   bench/soak.sh --tests                     only the long tests
#     --out DIR    where samples and plot go (default target/soak)
#
# While containers come and go, the daemon's files, threads, heap, memory, zombies, mounts and cgroups
# are written to DIR/soak.csv and drawn in DIR/soak.svg; it fails when one of them grows. The long tests
# are the JUnit tests that look at -Dloomshim.long. The last line is `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"

kind='' amount='' tests=false out=target/soak
while (($#)); do
  case $1 in
    --cycles | --minutes)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || refuse "$1 needs a number"
      kind=${1#--} amount=$2
      shift
      ;;
    --tests) tests=true ;;
    --out)
      [[ -n ${2-} ]] || refuse "$1 needs a value"
      out=$2
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

need_root
need_packages ca-certificates

# Both, each with a last line of its own.
if [[ -z $kind ]] && ! $tests; then
  part bench/soak.sh --cycles 10000 --out "$out"
  part bench/soak.sh --tests
  parts_end
fi

if $tests; then
  classes=$(grep -l 'loomshim\.long' src/test/java/io/loomshim/integration/*/*IT.java | xargs -n 1 basename -s .java | paste -sd ,)
  exec integration/test.sh --integration --jdk 25 --long -Dtest="$classes"
fi

# shellcheck source-path=SCRIPTDIR source=measure.sh
. bench/measure.sh
JAVA_HOME=$(find_jdk 25 || find_jdk 21 || need_jdk 21)
export JAVA_HOME
need_containerd
mkdir -p "$out" target
out=$(realpath "$out")
last_line='0 passed, 1 failed, 0 skipped'
prepare target/soak-build.log
install_side loom "$JAVA_HOME"
containerd_start PATH="$PATH"
measure soak.Soak "$SCOPE" "$NAMESPACE" "$out" "$JAVA_HOME/bin/java" "$kind" "$amount"
nothing_left
last_line='1 passed, 0 failed, 0 skipped'
