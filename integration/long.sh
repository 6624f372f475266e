#!/usr/bin/env bash
# The tests that take minutes or need a machine of their own. After integration/test.sh, which says
# more quickly what is wrong. The last line is the sum: `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

passed=0 failed=0 skipped=0

# part COMMAND...: runs it and adds its last line.
part() {
  local status=0 log line
  log=$(mktemp)
  printf -- '-- %s\n' "$*"
  "$@" </dev/null 2>&1 | tee "$log" || status=$?
  line=$(tail -n 1 "$log")
  rm -f "$log"
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) skipped=$((skipped + BASH_REMATCH[3]))
    # a failure without a test is one all the same
    failed=$((failed + (status && !BASH_REMATCH[2] ? 1 : BASH_REMATCH[2])))
  else
    failed=$((failed + 1))
  fi
}

part integration/test.sh --integration --jdk 25 --long -Dtest=OomIT,DensityIT
part integration/matrix.sh --ci
part integration/cgroup2/run.sh
part integration/package-test.sh

printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
