#!/usr/bin/env bash
# The tests that take minutes or need a machine of their own. After integration/test.sh, which says
# more quickly what is wrong.
#
#   integration/long.sh
#
# The last line is the sum: `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"
no_arguments "$@"

part integration/test.sh --integration --jdk 25 --long -Dtest=OomIT,DensityIT
part bench/soak.sh --minutes 2
part integration/stock.sh
part integration/matrix.sh --ci
part integration/cgroup2/run.sh
part packaging/package-test.sh
part integration/systemd/run.sh --package target/package-test/loomshim_1.0.0_*.deb
parts_end
