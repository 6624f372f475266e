#!/usr/bin/env bash
# Runs the runtime specs of critest (sigs.k8s.io/cri-tools), the test of Kubernetes for container runtimes, through the CRI
# of containerd 1.7 and 2.1: with io.containerd.runc.v2, and with this shim by its path and by its own name.
#
#   integration/critest.sh [--quick] [--focus REGEX] [SUITE...]      trixie, sid: the Debians whose containerd it is
#
# --quick is containerd 2.1 alone, and the specs of security contexts, mounts and streams.
#
# A spec passes when it does with this shim, fails when it passes with io.containerd.runc.v2 alone, and is skipped when
# it fails or is skipped with both. What is left out from the beginning has its reason below.
#
# critest is no package of Debian. It is taken from LOOMSHIM_CRITEST, a program; from the cache; or it is built with Debian's
# Go from LOOMSHIM_CRI_TOOLS, a directory with the source and its folder `vendor`, or from Go's module proxy. Where none
# of these is to be had, everything is skipped.
#
# Images are made here, and nothing is pulled. Each run has a network namespace of its own. Reports are in target/critest.
# The last line is the sum: `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=cri-lib.sh
. "$REPO/integration/cri-lib.sh"
cd "$REPO"

readonly CRI_TOOLS=v1.37.0
# a run takes 5 minutes on two idle processors, most of them waiting
readonly RUN_SECONDS_MAX=1800
# containerd 2.x asks no runtime type but io.containerd.runc.v2 for its features (docs/KUBERNETES.md)
readonly OF_FEATURES='readonly mounts|UserNamespaces'

# regular expressions for the names of specs that are not run, each with a sentence
left_out() {
  cat <<'END'
\[k8s.io\] Image	Images are pulled and removed by containerd alone.
\[k8s.io\] Idempotence RemoveImage	The same.
\[k8s.io\] AppArmor	The kernels of these machines have no AppArmor, and its profiles are loaded by the test itself.
NRI	Plugins of NRI are called by containerd alone.
MaskedPaths	Debian's busybox runs ls within its shell, so a masked /bin/ls hides nothing; CriSpecsIT masks a file.
host port and container port	Host ports are made by a plugin of CNI with iptables, which these machines do not allow.
END
}

focus='' suites=()
if [[ ${1-} != --inside ]]; then
  while (($#)); do
    case $1 in
      -h | --help)
        usage
        exit 0
        ;;
      --quick)
        focus='Security Context|Mount|Streaming|OOM'
        suites=(sid)
        ;;
      --focus)
        focus=${2-}
        [[ -n $focus ]] || refuse '--focus needs a regular expression'
        shift
        ;;
      -*) refuse "unknown argument $1" ;;
      *) suites+=("$1") ;;
    esac
    shift
  done
  ((${#suites[@]})) || suites=(trixie sid)
fi

# -------------------------------------------------------------------------------- critest

# skip REASON: there will be no run.
skip() {
  printf 'skipped: no critest: %s\n0 passed, 0 failed, 1 skipped\n' "$1"
  exit 0
}

# build_critest DIRECTORY [SOURCE]: with SOURCE from there, else from Go's module proxy.
build_critest() (
  directory=$1 source=${2-}
  GOROOT=$(go_tree) || exit 1
  export GOROOT GOPATH=$directory/go GOCACHE=${GOCACHE:-$directory/go-cache} GOTOOLCHAIN=local CGO_ENABLED=0
  export GOFLAGS=-mod=vendor
  if [[ -z $source ]]; then
    export GOFLAGS=-mod=mod
    mkdir -p "$directory/module"
    cd "$directory/module"
    "$GOROOT/bin/go" mod download -json "sigs.k8s.io/cri-tools@$CRI_TOOLS" >../module.json || exit 1
    source=$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' ../module.json)
    [[ -d $source ]] || exit 1
    # a module is read-only, and its go.mod is written while it is built
    cp -r "$source" "$directory/source"
    chmod -R u+w "$directory/source"
    source=$directory/source
  fi
  cd "$source"
  say "building critest from $source: some minutes"
  "$GOROOT/bin/go" test -c -o "$directory/critest.new" ./cmd/critest || exit 1
  chmod -R u+w "$directory/go" 2>/dev/null || true
  mv "$directory/critest.new" "$directory/critest"
)

# make_images FILE: an archive for `ctr images import`.
make_images() {
  local path='"Env": ["PATH=/usr/sbin:/bin"]'
  local e2e=registry.k8s.io/e2e-test-images own=gcr.io/k8s-staging-cri-tools
  {
    printf 'registry.k8s.io/pause:3.10\t{%s, "Entrypoint": %s}\n' "$path" "$PAUSE"
    printf '%s\t{%s, "Cmd": %s}\n' $e2e/busybox:1.29-2 "$path" '["sh"]' $e2e/nginx:1.14-2 "$path" '["nginx", "master process"]' \
      $e2e/httpd:2.4.39-4 "$path" '["nginx"]' $e2e/nonewprivs:1.3 "$path" '["nnp"]'
    printf '%s\t%s\n' "$own/hostnet-nginx-$(dpkg --print-architecture):latest" \
      '{"Env": ["PATH=/usr/sbin:/bin", "PORT=12003"], "Cmd": ["nginx"]}' \
      $own/test-image-predefined-group:latest "{$path, \"Cmd\": [\"sh\"], \"User\": \"1000\"}"
  } | image_archive "$1"
}

# ------------------------------------------------------------------------- one run, inside

# inside TREE SHIM HANDLER CRITEST IMAGES OUT FOCUS: one run, with the containerd and runc of TREE.
inside() {
  local tree=$1 shim=$2 handler=$3 critest=$4 images=$5 out=$6 focus=$7 expressions=() expression status=0
  apart "$out"
  network
  containerd_of "$tree" "$shim" "$images" "$out"
  printf '%s\n' "$version" >"$out/version"
  while IFS=$'\t' read -r expression _; do expressions+=("--ginkgo.skip=$expression"); done < <(left_out)
  [[ -z $focus ]] || expressions+=("--ginkgo.focus=$focus")
  TMPDIR=/mnt "$critest" --runtime-endpoint unix:///mnt/ct/grpc --runtime-handler "$handler" --ginkgo.no-color \
    --ginkgo.seed=1 --ginkgo.junit-report="$out/junit.xml" "${expressions[@]}" >"$out/log" 2>&1 </dev/null || status=$?
  kill -TERM "$containerd_pid"
  wait "$containerd_pid" || true
  printf '%s\n' "$status" >"$out/status"
}

if [[ ${1-} == --inside ]]; then
  shift
  inside "$@"
  exit
fi

# ----------------------------------------------------------------------------------- runs

need_root
command -v apt-get >/dev/null || skip 'its parts are packages of Debian'
need_command ip iproute2
mkdir -p "$CACHE"
critest=$(built_program critest "${LOOMSHIM_CRITEST-}" "${LOOMSHIM_CRI_TOOLS-}") || skip "neither LOOMSHIM_CRITEST nor $CACHE/critest is there, and it cannot be built: $CACHE/critest.log"
need_distribution
need_cni

out=$REPO/target/critest
rm -rf "$out"
mkdir -p "$out"
images=$out/images.tar
make_images "$images"
# like those of pods without a parent
trap 'find /sys/fs/cgroup -depth -type d -path "*/k8s.io*" -exec rmdir {} + 2>/dev/null || true' EXIT
trap 'kill -TERM $(jobs -p) 2>/dev/null; exit 130' INT TERM HUP
children=()
for suite in "${suites[@]}"; do
  tree=$(need_suite "$suite")
  shim=$(go_shim "$suite")
  for handler in "${CRI_HANDLERS[@]}"; do
    mkdir -p "$out/$suite/$handler"
    timeout --kill-after=10 "$RUN_SECONDS_MAX" unshare --mount --propagation private --pid --net --ipc --fork --kill-child --mount-proc \
      "$PROGRAM" --inside "$tree" "$shim" "$handler" "$critest" "$images" "$out/$suite/$handler" "$focus" \
      >"$out/$suite/$handler/inside.log" 2>&1 </dev/null &
    children+=($!)
  done
done
for child in "${children[@]}"; do wait "$child" || true; done

# --------------------------------------------------------------------------------- result

# specs DIRECTORY: a line `STATE<tab>NAME` for each spec of a run, without those that were left out by their names.
specs() {
  tr '\n' ' ' <"$1/junit.xml" | sed 's/<testcase /\n<testcase /g' | grep '^<testcase name="\[It\]' |
    grep -v '<skipped message="skipped">' |
    sed -n 's/^<testcase name="\[It\] \([^"]*\)".* status="\([a-z]*\)".*/\2\t\1/p' |
    sed 's/&#34;/"/g; s/&#39;/'"'"'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g; s/\[k8s.io\] //' | sort -k 2 -u
}

passed=0 failed=0 skipped=0
printf '%-12s %-22s %7s %7s %7s\n' containerd runtime passed failed skipped
details=''
for suite in "${suites[@]}"; do
  for handler in "${CRI_HANDLERS[@]}"; do
    run=$out/$suite/$handler
    if [[ ! -s $run/junit.xml || ! -s $run/status ]]; then
      details+="FAILED $suite $handler: the run did not come to its end: $(tail -n 2 "$run/inside.log" "$run/log" 2>/dev/null | tr '\n' ' ')"$'\n'
      failed=$((failed + 1))
      continue
    fi
    specs "$run" >"$run/specs"
    version=$(<"$run/version")
    case $handler in
      runc) label=io.containerd.runc.v2 ;;
      path) label='loom by its path' ;;
      name) label='loom by its name' ;;
    esac
    printf '%-12s %-22s %7d %7d %7d\n' "$version" "$label" "$(grep -c '^passed' "$run/specs")" \
      "$(grep -c '^failed' "$run/specs")" "$(grep -c '^skipped' "$run/specs")"
    [[ $handler != runc ]] || continue
    while IFS=$'\t' read -r state name; do
      before=$(awk -F '\t' -v name="$name" '$2 == name { print $1 }' "$out/$suite/runc/specs")
      case $state:$before in
        passed:*) passed=$((passed + 1)) ;;
        skipped:passed)
          if [[ $handler == name && $version == 2.* && $name =~ $OF_FEATURES ]]; then
            skipped=$((skipped + 1))
            details+="skipped $version, $label: containerd does not ask this type for features: $name"$'\n'
          else
            failed=$((failed + 1))
            details+="FAILED $version, $label: skipped, and passed with runc.v2: $name"$'\n'
          fi
          ;;
        *:passed)
          failed=$((failed + 1))
          details+="FAILED $version, $label: $state, and passed with runc.v2: $name"$'\n'
          ;;
        *)
          skipped=$((skipped + 1))
          details+="skipped $version, $label: $state, with runc.v2 $before: $name"$'\n'
          ;;
      esac
    done <"$run/specs"
  done
done
printf '\n%s\n' "$details"
left_out | while IFS=$'\t' read -r expression reason; do printf 'left out: %s: %s\n' "$expression" "$reason"; done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((passed > 0 && failed == 0))
