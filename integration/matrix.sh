#!/usr/bin/env bash
# Runs integration tests against other versions of containerd and of the OCI runtime than this machine's, on JDK 21
# and 25; gets what is missing first (Debian, root). integration/matrix.tsv says which, and with which exceptions.
#
#   integration/matrix.sh [--ci | --all] [--publish] [ROW...]
#   integration/matrix.sh --list
#
# Without arguments all rows are run. --ci has those that every run of CI includes. --publish writes the result into
# docs/VERSIONS.md, with the last result here of each row that is not run this time. --list prints the names of the rows.
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

# source_of CLASS: the file of an integration test, or nothing.
source_of() {
  compgen -G "$TESTS/*/$1.java" || true
}

declare -A set_tests row_line
names=()
while read -r kind name rest; do
  case $kind in
    '' | '#'*) ;;
    tests)
      set_tests[$name]=$rest
      for class in ${rest//,/ }; do
        [[ -n $(source_of "$class") ]] || die "$TABLE: there is no $class"
      done
      ;;
    row) names+=("$name") row_line[$name]=$rest ;;
    except)
      class=${rest%%[ #]*} method=${rest%% *}
      [[ $rest == *' '* ]] || die "$TABLE: no reason for $rest"
      # a test that is not there any more needs no exception
      file=$(source_of "$class")
      [[ -n $file ]] || die "$TABLE: there is no $class"
      [[ $method != *'#'* ]] || grep -q "void ${method#*#}(" "$file" || die "$TABLE: there is no $method"
      ;;
    *) die "$TABLE: $kind is not one of tests, row, except" ;;
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
    -*) refuse "unknown argument $1" ;;
    *)
      [[ -n ${row_line[$1]-} ]] || refuse "there is no row $1 in $TABLE"
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
  local name=$1 suite runtime jdk when tests settings containerd oci home started=$SECONDS status=0 p f s line
  local directory=target/matrix/$1 reports
  read -r suite runtime jdk when tests settings <<<"${row_line[$name]}"
  rm -rf "$directory"
  mkdir -p "$directory"
  home=$(need_jdk "$jdk")
  if [[ $settings == machine=* ]]; then
    run_machine "${settings#machine=}"
  else
    run_here
  fi
  read -r p f s < <(summary "$reports")
  if ((status && !f)); then
    # no test says why
    grep -E '^\[ERROR\] .' "$directory/log" | head -n 3 || tail -n 10 "$directory/log"
    f=$((f + 1))
  fi
  printf '%-12s containerd %s, %s, %s, JDK %s, %d passed, %d failed, %d skipped, %d s\n' "$name" "$containerd" "$oci" \
    "${settings:--}" "$jdk" "$p" "$f" "$s" $((SECONDS - started))
  failures "$reports"
  exceptions "$name" | sed 's/^/    left out: /'
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  line="| $containerd | $oci | $jdk | $tests | ${settings:--} | $p"
  ((!f)) || line+=", **$f failed**"
  printf '%s | %s | %s |\n' "$line" "$s" "$(exceptions "$name" | wc -l)" >"$directory/line"
}

# run_here: the tests of the row, on this machine.
run_here() {
  local setting left filter arguments=() run=() programs runtimes
  local docker='' criu='' runsc=''
  programs=$(need_suite "$suite")/containerd
  runtimes=$(need_suite "${runtime#*/}")/oci
  filter=${set_tests[$tests]}
  while read -r left _; do filter+=,!$left; done < <(exceptions "$name")
  mapfile -t arguments < <(surefire_tries)
  arguments+=(-Dtest="$filter" -Dtest.jdk="$home" -Dtest.reports="$PWD/$directory/reports"
    -Dloomshim.containerd="$programs/containerd" -Dloomshim.path="$runtimes")
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
      criu=*)
        criu=$(suite_criu "${setting#*=}") || die "no CRIU of ${setting#*=} runs here"
        settings=${settings/$setting/CRIU $(version "$criu")}
        ;;
      runsc)
        runsc=$(runsc_binary) || die 'no runsc here'
        settings=${settings/$setting/runsc $("$runsc" --version | sed -n 's/^runsc version //p')}
        ;;
      *) arguments+=(-D"loomshim.$setting") ;;
    esac
  done
  containerd=$(version "$programs/containerd")
  oci="${runtime%/*} $(version "$runtimes/${runtime%/*}")"
  reports=$directory/reports-it
  # in the foreground, so that whoever ends this script ends all of it
  JAVA_HOME=$build_jdk LOOMSHIM_DOCKER=$docker LOOMSHIM_CRIU=$criu LOOMSHIM_RUNSC=$runsc "${run[@]}" \
    timeout --foreground --kill-after=60 "$ROW_SECONDS_MAX" \
    ./mvnw -B -ntp surefire:test@integration "${arguments[@]}" </dev/null >"$directory/log" 2>&1 || status=$?
}

# run_machine SUITE: the tests of integration/cgroup2/run.sh, in an emulated machine with that suite of Debian.
run_machine() {
  local from=target/cgroup2-$1 linux='?'
  JAVA_HOME=$home integration/cgroup2/run.sh --suite "$1" --patience 2 </dev/null >"$directory/log" 2>&1 || status=$?
  reports=$directory/reports
  containerd='?' oci='runc ?'
  [[ -d $from/reports ]] || return 0
  cp -R "$from/reports" "$reports"
  linux=$(sed -n 's/^Linux //p' "$reports/versions")
  containerd=$(sed -n 's/^containerd //p' "$reports/versions")
  oci=$(grep '^runc ' "$reports/versions")
  settings="Linux $linux, cgroup v2"
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
    sed '/<!-- matrix: written by/q' docs/VERSIONS.md
    table "${names[@]/%//line}"
    sed -n '/<!-- matrix: end/,$p' docs/VERSIONS.md
  } >target/matrix/VERSIONS.md
  cp target/matrix/VERSIONS.md docs/VERSIONS.md
fi

printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((passed > 0 && failed == 0))
