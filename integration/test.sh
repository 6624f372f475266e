#!/usr/bin/env bash
# Builds loomshim once and runs its tests on each JDK; gets what is missing first (Debian, root).
#
#   integration/test.sh [--unit | --integration] [--jdk 21|25|both] [--all] [--long] [-Dtest=FILTER]
#
# Tests tagged any-jdk, which take minutes and look at how other programs treat the shim, run on the
# first JDK only; with --all, with a filter and with one JDK everything runs.
# A filter names test classes as Maven's -Dtest does; those that end in IT are integration tests.
# --long has tests that repeat something do it as often as the contract says, which takes minutes.
# Full logs and JUnit reports are in target/jdk-N/, with --long in target/long/jdk-N/. The last line is
# the sum over all runs.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"

kinds=(unit integration)
jdks=(25 21)
unit_filter=
integration_filter=
long=()
all=
results=target
while (($#)); do
  case $1 in
    --unit) kinds=(unit) ;;
    --integration) kinds=(integration) ;;
    --jdk)
      case ${2-} in
        21 | 25) jdks=("$2") ;;
        both) ;;
        *) refuse "--jdk takes 21, 25 or both" ;;
      esac
      shift
      ;;
    --all) all=yes ;;
    --long)
      long=(-Dloomshim.long=true -Dloomshim.hang.seconds=3600)
      results=target/long
      ;;
    -Dtest=?*)
      IFS=, read -ra classes <<<"${1#-Dtest=}"
      for class in "${classes[@]}"; do
        case ${class%%#*} in
          *IT | *IT\*) integration_filter+=${integration_filter:+,}$class ;;
          *) unit_filter+=${unit_filter:+,}$class ;;
        esac
      done
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) refuse "unknown argument $1" ;;
  esac
  shift
done
filtered=$unit_filter$integration_filter

mvn() { JAVA_HOME=$build_jdk ./mvnw -B -ntp "$@" </dev/null; }

# ------------------------------------------------------------------------- what is missing
need_command shellcheck
need_packages ca-certificates
declare -A home
for jdk in "${jdks[@]}"; do
  home[$jdk]=$(need_jdk "$jdk")
done
build_jdk=${home[${jdks[0]}]}
# uses WORD: whether one of the integration tests that will run has it in its source.
uses() {
  local class classes file
  IFS=, read -ra classes <<<"${integration_filter:-*IT}"
  for class in "${classes[@]%%#*}"; do
    for file in $(compgen -G "src/test/java/io/loomshim/integration/*/${class##*[./]}.java"); do
      if grep -qsw "$1" "$file"; then return 0; fi
    done
  done
  return 1
}

if [[ " ${kinds[*]} " == *" integration "* && (-z $filtered || -n $integration_filter) ]]; then
  need_root
  need_containerd
  LOOMSHIM_BUSYBOX=$(busybox_binary)
  export LOOMSHIM_BUSYBOX LOOMSHIM_CRIU='' LOOMSHIM_DOCKER='' LOOMSHIM_RUNSC=''
  # without one the tests of checkpoints are skipped, and say why
  if uses Criu; then LOOMSHIM_CRIU=$(need_criu) || LOOMSHIM_CRIU=; fi
  if uses LOOMSHIM_RUNSC; then LOOMSHIM_RUNSC=$(runsc_binary) || LOOMSHIM_RUNSC=; fi
  # likewise those of Docker
  if uses Docker; then LOOMSHIM_DOCKER=$(need_docker trixie) || LOOMSHIM_DOCKER=; fi
fi

broken=()
mkdir -p "$results"

# ------------------------------------------------------------------------------ the scripts
mapfile -t scripts < <(find .ci bench integration packaging src -type f \( -name '*.sh' -o -path '*/launcher/*' -o -path '*/cgroup2/*' -o -path '*/systemd/*' -o -path '*/completion/*' -o -path '*/debian/*' -o -path .ci/run \) |
  while read -r file; do
    case $(head -n 1 "$file") in
      '#!'*sh | '# shellcheck shell='*) printf '%s\n' "$file" ;;
    esac
  done | sort)
printf 'shellcheck of %d scripts\n' "${#scripts[@]}"
shellcheck -x "${scripts[@]}" || broken+=(shellcheck)

# -------------------------------------------------------------------------------- the build
printf 'build with JDK %s\n' "$(jdk_version "$build_jdk")"
if ! mvn package -DskipTests >target/build.log 2>&1; then
  grep -E '^\[ERROR\] .' target/build.log | head -n 10 || tail -n 20 target/build.log
  printf 'the build failed; see target/build.log\n0 passed, 1 failed, 0 skipped\n'
  exit 1
fi

# -------------------------------------------------------------------------------- the tests
rm -rf "$results"/jdk-*
for jdk in "${jdks[@]}"; do
  for kind in "${kinds[@]}"; do
    reports=$PWD/$results/jdk-$jdk/$kind
    case $kind in
      unit) execution=default-test filter=$unit_filter directory=$reports ;;
      integration) execution=integration filter=$integration_filter directory=$reports-it ;;
    esac
    [[ -z $filtered || -n $filter ]] || continue
    mapfile -t arguments < <(surefire_tries)
    arguments+=(-Dtest.jdk="${home[$jdk]}" -Dtest.reports="$reports")
    [[ -z $filter ]] || arguments+=(-Dtest="$filter")
    arguments+=("${long[@]}")
    what="JDK $jdk $kind"
    if [[ $kind == integration && $jdk != "${jdks[0]}" && -z $all$filter ]]; then
      arguments+=(-DexcludedGroups=any-jdk)
      what+=' (without any-jdk)'
    fi
    # JDK 21 is the one that pins: its daemons are recorded, and no wait of ours may hold a carrier
    [[ $jdk/$kind != 21/integration ]] || arguments+=(-Dloomshim.jfr=true)
    mkdir -p "$reports" "$directory"
    started=$SECONDS
    status=0
    mvn "surefire:test@$execution" "${arguments[@]}" >"$reports.log" 2>&1 || status=$?
    read -r passed failed skipped < <(summary "$directory")
    printf '%s: %d passed, %d failed, %d skipped, %d s\n' \
      "$what" "$passed" "$failed" "$skipped" $((SECONDS - started))
    failures "$directory"
    if ((status && !failed)); then
      # no test says why: a JVM that ended early, a filter that fits nothing, a broken build file
      grep -E '^\[ERROR\] .' "$reports.log" | head -n 3 || tail -n 10 "$reports.log"
      broken+=("JDK $jdk $kind ($results/jdk-$jdk/$kind.log)")
    fi
  done
done

read -r passed failed skipped < <(summary "$results"/jdk-*)
for what in "${broken[@]}"; do printf 'broken: %s\n' "$what"; done
((passed + failed > 0)) || printf 'no test ran\n'
printf '%d passed, %d failed, %d skipped\n' "$passed" $((failed + ${#broken[@]})) "$skipped"
((passed > 0 && failed == 0 && ${#broken[@]} == 0))
