#!/usr/bin/env bash
# The tests that take minutes or need a machine of their own. After integration/test.sh, which says
# more quickly what is wrong. The last line is the sum: `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"

# Threads that are starved: the benchmark of them must end by itself, with what the clients were told.
# shellcheck disable=SC2317 # part calls it
starved() {
  local out=target/loom-starved
  integration/loom-bench.sh --smoke --only waits --sides virtual-25,fixed64-21,pinned-21 --out "$out" &&
    grep -q '^waits,66,fixed64-21,2 of 66 Waits,RESOURCE_EXHAUSTED: no thread is free' "$out/failures.csv" &&
    grep -q '^waits,66,pinned-21,' "$out/failures.csv" && ! grep -q virtual "$out/failures.csv" &&
    echo '1 passed, 0 failed, 0 skipped'
}

part integration/test.sh --integration --jdk 25 --long -Dtest=OomIT,DensityIT
part integration/soak.sh --minutes 2
part integration/matrix.sh --ci
part integration/cgroup2/run.sh
part integration/package-test.sh
part starved
parts_end
