#!/usr/bin/env bash
# Runs integration tests against other versions of containerd and of the OCI runtime than this machine's, on JDK 21
# and 25; gets what is missing first (Debian, root). integration/matrix.tsv says which, and with which exceptions.
#
#   integration/matrix.sh [--ci | --all] [--publish] [ROW...]
#   integration/matrix.sh --list
#
# Without arguments all rows are run. --ci has those that every run of CI includes. --publish writes the result into
# the README, with the last result here of each row that is not run this time. --list prints the names of the rows.
#
# Logs and JUnit reports are in target/matrix/ROW. The last line is the sum: `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"

readonly TABLE=integration/matrix.tsv
readonly TESTS=src/test/java/io/loomshim/integration
# The slowest row takes two minutes on two idle processors.
readonly ROW_SECONDS_MAX=900


# ------------------------------------------------------------------------- the table

declare -A set_tests row_line
names=()
while read -r kind name rest; do
  case $kind in
    '' | '#'*) ;;
    tests) set_tests[$name]=$rest ;;
    row) names+=("$name") row_line[$name]=$rest ;;
    except)
      class=${rest%%[ #]*} method=${rest%% *}
      [[ $rest == *' '* ]] || die "$TABLE: no reason for $rest"
      # a test that is not there any more needs no exception
      [[ -f $TESTS/$class.java ]] || die "$TABLE: there is no $class"
      [[ $method != *'#'* ]] || grep -q "void ${method#*#}(" "$TESTS/$class.java" || die "$TABLE: there is no $method"
      ;;
    *) die "$TABLE: $kind is none of tests, row, except" ;;
  esac
done <"$TABLE"

# exceptions ROW: a line `CLASS[#METHOD] REASON` for each test that the row leaves out.
exceptions() {
  local kind rows rest
  while read -r kind rows rest; do
    if [[ $kind == except && ,$rows, == *,$1,* ]]; then printf '%s\n' "$rest"; fi
  done <"$TABLE"
}

# -------------------------------------------------------------------------- arguments

ci=false publish=false rows=()
while (($#)); do
  case $1 in
    --ci) ci=true ;;
    --all) ;;
    --publish) publish=true ;;
    --list)
      printf '%s\n' "${names[@]}"
      exit 0
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*)
      usage >&2
      exit 2
      ;;
    *)
      [[ -n ${row_line[$1]-} ]] || die "there is no row $1 in $TABLE"
      rows+=("$1")
      ;;
  esac
  shift
done
if ((!${#rows[@]})); then
  for name in "${names[@]}"; do
    read -r _ _ _ when _ <<<"${row_line[$name]}"
    if ! $ci || [[ $when == ci ]]; then rows+=("$name"); fi
  done
fi
if $publish; then
  for name in "${names[@]}"; do
    [[ " ${rows[*]} " == *" $name "* || -r target/matrix/$name/line ]] || die "--publish: row $name has never been run here"
  done
fi

# --------------------------------------------------------------------------- the rows

# one_version COMMAND...: runs it where there are cgroups of one version, as crun wants it. On a machine with
# controllers of the first and a tree of the second, that is a mount namespace without this tree. crun makes
# directories in its place all the same, which the empty file system there takes with it.
one_version() {
  if [[ ! -d /sys/fs/cgroup/unified ]]; then
    "$@"
    return
  fi
  # shellcheck disable=SC2016 # for that sh to expand
  unshare --mount --propagation private sh -c '
    umount /sys/fs/cgroup/unified && mount -t tmpfs -o size=16m none /sys/fs/cgroup/unified && exec "$@"
  ' one_version "$@"
}

# version PROGRAM: as its package tells, without what follows it there.
version() { "$1" --version | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?([~-]rc[0-9]+)?' | head -n 1; }

# run_row NAME: leaves its line of the table in target/matrix/NAME/line, adds up `passed`, `failed` and `skipped`.
run_row() {
  local name=$1 suite runtime jdk when tests settings setting containerd oci home filter arguments=() run=() started
  local directory=target/matrix/$1 p f s status=0 left docker='' line
  read -r suite runtime jdk when tests settings <<<"${row_line[$name]}"
  containerd=$(need_suite "$suite")/containerd
  oci=$(need_suite "${runtime#*/}")/oci
  home=$(need_jdk "$jdk")
  filter=${set_tests[$tests]}
  while read -r left _; do filter+=,!$left; done < <(exceptions "$name")
  rm -rf "$directory"
  mkdir -p "$directory"
  arguments=(-Dtest="$filter" -Dtest.jdk="$home" -Dtest.reports="$PWD/$directory/reports"
    -Dloomshim.containerd="$containerd/containerd" -Dloomshim.path="$oci")
  if [[ ${runtime%/*} == crun ]]; then
    arguments+=(-Dloomshim.oci=crun)
    run=(one_version)
  fi
  for setting in $settings; do
    case $setting in
      docker=*)
        docker=$(need_docker "${setting#*=}" 2>/dev/null) || die "no Docker of ${setting#*=} runs here"
        settings=${settings/$setting/Docker $(version "$docker/dockerd")}
        ;;
      *) arguments+=(-D"loomshim.$setting") ;;
    esac
  done
  started=$SECONDS
  # in the foreground, so that whoever ends this script ends all of it
  JAVA_HOME=$build_jdk LOOMSHIM_DOCKER=$docker "${run[@]}" timeout --foreground --kill-after=60 "$ROW_SECONDS_MAX" \
    ./mvnw -B -ntp surefire:test@integration "${arguments[@]}" </dev/null >"$directory/log" 2>&1 || status=$?
  read -r p f s < <(summary "$directory/reports-it")
  if ((status && !f)); then
    # no test says why
    grep -E '^\[ERROR\] .' "$directory/log" | head -n 3 || tail -n 10 "$directory/log"
    f=$((f + 1))
  fi
  printf '%-12s %s, %d passed, %d failed, %d skipped, %d s\n' "$name" \
    "containerd $(version "$containerd/containerd"), ${runtime%/*} $(version "$oci/${runtime%/*}"), JDK $jdk" \
    "$p" "$f" "$s" $((SECONDS - started))
  failures "$directory/reports-it"
  exceptions "$name" | sed 's/^/    left out: /'
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  line="| $(version "$containerd/containerd") | ${runtime%/*} $(version "$oci/${runtime%/*}") | $jdk"
  line+=" | $tests | ${settings:--} | $p"
  ((!f)) || line+=", **$f failed**"
  printf '%s | %s | %s |\n' "$line" "$s" "$(exceptions "$name" | wc -l)" >"$directory/line"
}

need_root
need_containerd
need_packages ca-certificates
LOOMSHIM_BUSYBOX=$(busybox_binary)
export LOOMSHIM_BUSYBOX
build_jdk=$(need_jdk 25)
mkdir -p target/matrix
if ! JAVA_HOME=$build_jdk ./mvnw -B -ntp package -DskipTests </dev/null >target/matrix/build.log 2>&1; then
  grep -E '^\[ERROR\] .' target/matrix/build.log | head -n 10 || tail -n 20 target/matrix/build.log
  printf 'the build failed; see target/matrix/build.log\n0 passed, 1 failed, 0 skipped\n'
  exit 1
fi

passed=0 failed=0 skipped=0
for name in "${rows[@]}"; do
  run_row "$name"
done

# ------------------------------------------------------------------------- the result

# table ROW/line...
table() {
  printf '| containerd | runtime | JDK | tests | setting | passed | skipped | left out |\n|---|---|---|---|---|---|---|---|\n'
  cat "${@/#/target/matrix/}"
}

printf '\n'
table "${rows[@]/%//line}"
if $publish; then
  {
    sed '/<!-- matrix: written by/q' README.md
    table "${names[@]/%//line}"
    sed -n '/<!-- matrix: end/,$p' README.md
  } >target/matrix/README.md
  cp target/matrix/README.md README.md
fi

printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((passed > 0 && failed == 0))
