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
cd "$REPO"

readonly CRI_TOOLS=v1.37.0
# a run takes 5 minutes on two idle processors, most of them waiting
readonly RUN_SECONDS_MAX=1800
readonly HANDLERS=(runc path name)
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

# go_tree: prints the GOROOT of Debian's newest Go, which needs no other package to run.
go_tree() {
  need_packages debian-archive-keyring >&2
  cached go-sid fetch_go >&2 || return
  printf '%s\n' "$CACHE"/go-sid/usr/lib/go-*
}
fetch_go() {
  local tree=$CACHE/go-sid apt=$CACHE/go-sid/apt file
  say "fetching Go of Debian sid into $tree"
  rm -rf "$tree"
  mkdir -p "$apt"
  { suite_apt sid "$apt" update && suite_apt sid "$apt" install --download-only golang-go; } >"$CACHE/go-sid.log" || return 1
  for file in "$apt"/cache/archives/golang-*.deb; do dpkg -x "$file" "$tree"; done
  rm -rf "$apt"
  touch "$tree/complete"
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

# critest_program: prints the path of critest; fails with the reason on stderr.
critest_program() {
  local work
  if [[ -n ${LOOMSHIM_CRITEST-} ]]; then
    [[ -x $LOOMSHIM_CRITEST ]] || die "LOOMSHIM_CRITEST=$LOOMSHIM_CRITEST is no program"
    realpath -- "$LOOMSHIM_CRITEST"
    return
  fi
  if [[ ! -x $CACHE/critest/critest ]]; then
    work=$(mktemp -d "$CACHE/critest-work-XXXXXX")
    if build_critest "$work" "${LOOMSHIM_CRI_TOOLS-}" >"$CACHE/critest.log" 2>&1; then
      mkdir -p "$CACHE/critest"
      mv "$work/critest" "$CACHE/critest/critest"
    else
      grep -v '^{\|^}' "$CACHE/critest.log" | tail -n 3 >&2
    fi
    rm -rf "$work"
  fi
  [[ -x $CACHE/critest/critest ]] && printf '%s\n' "$CACHE/critest/critest"
}

# go_shim SUITE: prints the path of the Go shim of that suite of Debian.
go_shim() {
  cached "shim-$1" fetch_shim "$1" >&2
  printf '%s\n' "$CACHE/shim-$1/containerd-shim-runc-v2"
}
fetch_shim() {
  local suite=$1 directory=$CACHE/shim-$1 loader
  say "fetching the shim of Debian $suite into $directory"
  rm -rf "$directory"
  mkdir -p "$directory/apt"
  (
    cd "$directory/apt"
    suite_apt "$suite" "$directory/apt" update && suite_apt "$suite" "$directory/apt" download containerd
  ) >"$CACHE/shim-$suite.log" || die "could not fetch the shim of $suite: $CACHE/shim-$suite.log"
  dpkg -x "$directory"/apt/containerd_*.deb "$directory/files"
  mv "$directory/files/usr/bin/containerd-shim-runc-v2" "$directory/"
  rm -rf "$directory/apt" "$directory/files"
  loader=$(find "$CACHE/suite-$suite/files" -name 'ld-linux-*.so.*' -type f -print -quit)
  "$directory/containerd-shim-runc-v2" -v >/dev/null 2>&1 ||
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "${loader%/*}" "$directory/containerd-shim-runc-v2"
  "$directory/containerd-shim-runc-v2" -v >/dev/null || die "the shim of $suite does not run here"
  touch "$directory/complete"
}

# --------------------------------------------------------------------------------- images

# image_tree DIRECTORY: what all images hold.
image_tree() {
  local library
  make_rootfs "$1"
  # as in the image that is meant: what is bound over one command leaves the others
  find "$1/bin" -type l -exec ln -f "$1/bin/busybox" {} \;
  mkdir -p "$1"/{srv/www,usr/sbin,var/run,var/tmp}
  chmod 1777 "$1/tmp" "$1/var/tmp"
  printf 'nobody:x:65534:65534:nobody:/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\ndefault-user:x:1000:1000::/:/bin/sh\n' \
    >>"$1/etc/passwd"
  printf 'nogroup:x:65534:\nwww-data:x:33:\ndefault-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\n' \
    >>"$1/etc/group"
  printf '<html><body>Thank you for using nginx.</body></html>\n' >"$1/srv/www/index.html"
  cat >"$1/usr/sbin/nginx" <<'END'
#!/bin/sh
echo $$ >/var/run/nginx.pid
echo "httpd begins"
httpd -f -p "${PORT:-80}" -h /srv/www &
trap 'exit 0' TERM QUIT
wait
END
  # shows its effective user id: that of its owner where the kernel honours the bit
  cp "$(command -v id)" "$1/usr/sbin/effective"
  rm -f "$1/bin/ipcs"
  cp "$(command -v ipcs)" "$1/bin/ipcs"
  ldd "$1/usr/sbin/effective" "$1/bin/ipcs" | grep -o '[[:space:]]/[^ ]*' | sort -u | while read -r library; do
    mkdir -p "$1$(dirname "$library")"
    cp -L "$library" "$1$library"
  done
  # shellcheck disable=SC2016 # for that sh to expand
  printf '#!/bin/sh\nprintf "Effective uid: %%s\\n" "$(/usr/sbin/effective -u)"\n' >"$1/usr/sbin/nnp"
  # Debian's busybox has none
  printf '#!/bin/sh\nexec pidof "$@"\n' >"$1/bin/pgrep"
  chmod 755 "$1/usr/sbin/nginx" "$1/usr/sbin/nnp" "$1/bin/pgrep"
  chmod 4755 "$1/usr/sbin/effective"
}

# one_image NAME CONFIGURATION: adds it to the archive in the present directory.
one_image() {
  local digest
  printf '{"architecture": "%s", "os": "linux", "config": %s, "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$2" "$layer" >config
  digest=$(sha256sum config | cut -d ' ' -f 1)
  mv config "$digest.json"
  manifest+="${manifest:+, }{\"Config\": \"$digest.json\", \"RepoTags\": [\"$1\"], \"Layers\": [\"layer.tar\"]}"
}

# make_images FILE: an archive for `ctr images import`.
make_images() {
  local directory layer manifest='' path='"Env": ["PATH=/usr/sbin:/bin"]'
  local e2e=registry.k8s.io/e2e-test-images own=gcr.io/k8s-staging-cri-tools
  directory=$(mktemp -d "$CACHE/images-XXXXXX")
  image_tree "$directory/tree"
  mkdir "$directory/archive"
  tar -C "$directory/tree" --owner=0 --group=0 -cf "$directory/archive/layer.tar" .
  layer=$(sha256sum "$directory/archive/layer.tar" | cut -d ' ' -f 1)
  (
    cd "$directory/archive"
    one_image registry.k8s.io/pause:3.10 "{$path, \"Entrypoint\":
      [\"/bin/sh\", \"-c\", \"trap 'exit 0' TERM; while :; do tail -f /dev/null & wait; done\"]}"
    one_image $e2e/busybox:1.29-2 "{$path, \"Cmd\": [\"sh\"]}"
    one_image $e2e/nginx:1.14-2 "{$path, \"Cmd\": [\"nginx\", \"master process\"]}"
    one_image $e2e/httpd:2.4.39-4 "{$path, \"Cmd\": [\"nginx\"]}"
    one_image $e2e/nonewprivs:1.3 "{$path, \"Cmd\": [\"nnp\"]}"
    one_image "$own/hostnet-nginx-$(dpkg --print-architecture):latest" \
      '{"Env": ["PATH=/usr/sbin:/bin", "PORT=12003"], "Cmd": ["nginx"]}'
    one_image $own/test-image-predefined-group:latest "{$path, \"Cmd\": [\"sh\"], \"User\": \"1000\"}"
    printf '[%s]' "$manifest" >manifest.json
    tar -cf "$1" .
  )
  rm -rf "$directory"
}

# ------------------------------------------------------------------------- one run, inside

# configuration DIRECTORY VERSION SHIM: of containerd, with all handlers; SHIM is the Go shim of this containerd.
configuration() {
  local cri=plugins.\"io.containerd.grpc.v1.cri\" streams number=2
  if [[ $2 == 2.* ]]; then cri="plugins.'io.containerd.cri.v1.runtime'" number=3; fi
  streams="plugins.'io.containerd.grpc.v1.cri'"
  cat <<END
version = $number
root = "$1/root"
state = "$1/state"
[grpc]
  address = "$1/grpc"
[ttrpc]
  address = "$1/ttrpc"
[debug]
  level = "debug"
[plugins.'io.containerd.internal.v1.opt']
  path = "$1/opt"
[$cri.cni]
  bin_dir = "/mnt/cni/bin"
  conf_dir = "/mnt/cni"
[$cri.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = "$3"
[$cri.containerd.runtimes.path]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = "/mnt/loom/bin/containerd-shim-loom-v1"
[$cri.containerd.runtimes.name]
  runtime_type = "io.containerd.loom.v1"
END
  if [[ $number == 3 ]]; then
    cat <<END
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "registry.k8s.io/pause:3.10"
[$cri]
  restrict_oom_score_adj = true
[$streams]
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
END
  else
    cat <<END
[$cri]
  restrict_oom_score_adj = true
  sandbox_image = "registry.k8s.io/pause:3.10"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
END
  fi
}

# network: pods get a loopback of their own, and a bridge in this network namespace.
network() {
  ip link set lo up
  mkdir -p /mnt/cni/bin
  cp "$CACHE"/cni/usr/lib/cni/{bridge,host-local,loopback} /mnt/cni/bin/
  cat >/mnt/cni/10-pods.conflist <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods0", "isGateway": true,
  "ipam": {"type": "host-local", "dataDir": "/mnt/cni/addresses", "ranges": [[{"subnet": "10.88.0.0/16"}]]}}]}
END
}

# inside TREE SHIM HANDLER CRITEST IMAGES OUT FOCUS: one run, with the containerd and runc of TREE.
inside() {
  local tree=$1 shim=$2 handler=$3 critest=$4 images=$5 out=$6 focus=$7 version pid i expressions=() expression status=0
  exec 8<"$REPO" 7<"$CACHE" 6<"$out"
  for i in /run /tmp /mnt; do mount -t tmpfs -o mode=755 tmpfs "$i"; done
  chmod 1777 /tmp
  for i in "8 $REPO" "7 $CACHE" "6 $out"; do
    # what lies below one of them
    if [[ ! -e ${i#* } ]]; then
      mkdir -p "${i#* }"
      mount --no-canonicalize --bind "/proc/self/fd/${i%% *}" "${i#* }"
    fi
  done
  exec 8<&- 7<&- 6<&-
  mount --make-rshared /mnt
  network
  JAVA_HOME=$(find_jdk 21) sh packaging/install.sh --prefix /mnt/loom >"$out/install.log" 2>&1
  version=$("$tree/containerd/containerd" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
  mkdir /mnt/ct
  configuration /mnt/ct "$version" "$shim" >/mnt/ct/config.toml
  PATH=/mnt/loom/bin:$tree/oci:$PATH TMPDIR=/mnt/ct "$tree/containerd/containerd" --config /mnt/ct/config.toml \
    >"$out/containerd.log" 2>&1 </dev/null &
  pid=$!
  for ((i = 0; i < 600; i++)); do
    if "$tree/containerd/ctr" --address /mnt/ct/grpc plugins ls 2>/dev/null | grep -q '\.cri.*ok'; then break; fi
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  "$tree/containerd/ctr" --address /mnt/ct/grpc -n k8s.io images import "$images" >"$out/import.log" 2>&1
  printf '%s\n' "$version" >"$out/version"
  while IFS=$'\t' read -r expression _; do expressions+=("--ginkgo.skip=$expression"); done < <(left_out)
  [[ -z $focus ]] || expressions+=("--ginkgo.focus=$focus")
  TMPDIR=/mnt "$critest" --runtime-endpoint unix:///mnt/ct/grpc --runtime-handler "$handler" --ginkgo.no-color \
    --ginkgo.seed=1 --ginkgo.junit-report="$out/junit.xml" "${expressions[@]}" >"$out/log" 2>&1 </dev/null || status=$?
  kill -TERM "$pid"
  wait "$pid" || true
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
critest=$(critest_program) || skip "neither LOOMSHIM_CRITEST nor $CACHE/critest is there, and it cannot be built: $CACHE/critest.log"
if [[ ! -x target/loomshim/bin/containerd-shim-loom-v1 ]]; then
  JAVA_HOME=$(find_jdk 21 || need_jdk 25) ./mvnw -q -B -ntp -DskipTests package </dev/null
fi
find_jdk 21 >/dev/null || need_jdk 25 >/dev/null
if [[ ! -x $CACHE/cni/usr/lib/cni/bridge ]]; then
  mkdir -p "$CACHE/cni"
  (
    cd "$CACHE/cni"
    apt_quiet download containernetworking-plugins >log || { apt_quiet update && apt_quiet download containernetworking-plugins; } >log
    dpkg -x containernetworking-plugins_*.deb .
    rm -f ./*.deb
  ) || die "could not fetch containernetworking-plugins; see $CACHE/cni/log"
fi

out=$REPO/target/critest
rm -rf "$out"
mkdir -p "$out"
images=$out/images.tar
make_images "$images"
# like those of pods without a parent
trap 'find /sys/fs/cgroup -depth -type d -path "*/k8s.io*" -exec rmdir {} + 2>/dev/null || true' EXIT
children=()
for suite in "${suites[@]}"; do
  tree=$(need_suite "$suite")
  shim=$(go_shim "$suite")
  for handler in "${HANDLERS[@]}"; do
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
  for handler in "${HANDLERS[@]}"; do
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
