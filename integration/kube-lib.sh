# shellcheck shell=bash disable=SC2030,SC2031
# What integration/kubelet.sh and integration/cluster.sh share: the programs of Kubernetes, and a kernel whose settings a
# kubelet cannot change. Source it after cri-lib.sh.

# ------------------------------------------------------------------------------- programs

# go_build DIRECTORY SOURCE PROGRAM...: builds programs of Kubernetes into DIRECTORY: with SOURCE by the newest Go, else
# from Debian 12 by the Go of Debian 11: the maps of Go 1.18 and newer are others than its reflect2 takes them for, and
# kube-apiserver dies of that.
go_build() (
  directory=$1 source=$2
  shift 2
  export GOPATH=$directory/go GOCACHE=${GOCACHE:-$directory/go-cache} GOTOOLCHAIN=local CGO_ENABLED=0
  say "building $*: many minutes"
  if [[ -n $source ]]; then
    GOROOT=$(go_tree) || exit 1
    export GOROOT GOFLAGS=-mod=vendor
    cd "$source" || exit 1
    "$GOROOT/bin/go" build -o "$directory/" "${@/#/./cmd/}"
    exit
  fi
  fetch_source "$directory" || exit 1
  export GOROOT=$directory/usr/lib/go-1.15 GO111MODULE=off
  mkdir -p "$GOPATH/src/k8s.io"
  ln -s "$(compgen -G "$directory/kubernetes-*/")" "$GOPATH/src/k8s.io/kubernetes"
  cd "$GOPATH/src/k8s.io/kubernetes" || exit 1
  [[ " $* " != *' kube-apiserver '* || -e pkg/generated/openapi/zz_generated.openapi.go ]] || generate_openapi || exit 1
  # what git would tell
  sed -i 's/"v0\.0\.0-master+[^"]*"/"v1.20.2"/' \
    staging/src/k8s.io/component-base/version/base.go staging/src/k8s.io/client-go/pkg/version/base.go || exit 1
  "$GOROOT/bin/go" build -o "$directory/" "${@/#/k8s.io/kubernetes/cmd/}"
)

# fetch_source DIRECTORY: Debian's source of Kubernetes, with all that it is built of, and Go.
fetch_source() {
  local file
  cd "$1" && need_packages debian-archive-keyring &&
    with_sources=yes suite_apt bookworm "$1/apt" update &&
    with_sources=yes suite_apt bookworm "$1/apt" source --download-only kubernetes &&
    suite_apt bullseye "$1/apt-go" update && suite_apt bullseye "$1/apt-go" download golang-1.15-go golang-1.15-src &&
    tar -xzf kubernetes_*.orig.tar.gz || return 1
  for file in golang-*.deb; do dpkg -x "$file" . || return 1; done
}

# generate_openapi: makes the one source of kube-apiserver that 1.20 generates and does not keep: what the API server says
# about the types of its API.
generate_openapi() {
  local packages
  "$GOROOT/bin/go" build -o "$directory/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen || return 1
  packages=$(grep -rl --include='*.go' '^// *+k8s:openapi-gen=' pkg staging/src/k8s.io | grep -v '/sample-\|/examples/\|/test/' |
    xargs -n 1 dirname | sort -u | sed 's|^staging/src/|vendor/|; s|^|k8s.io/kubernetes/|' | paste -s -d ,)
  "$directory/openapi-gen" -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -o "$GOPATH/src" -r "$directory/openapi-report"
}

build_kubelet() { go_build "$1" "${2-}" kubelet; }

# control_plane: prints the directory with kube-apiserver, kube-controller-manager and kube-scheduler: LOOMSHIM_CONTROL_PLANE,
# or the one in the cache, which is built if it is not there, with LOOMSHIM_KUBERNETES from that source.
control_plane() {
  local programs=(kube-apiserver kube-controller-manager kube-scheduler) program work
  if [[ -n ${LOOMSHIM_CONTROL_PLANE-} ]]; then
    for program in "${programs[@]}"; do
      [[ -x $LOOMSHIM_CONTROL_PLANE/$program ]] || die "LOOMSHIM_CONTROL_PLANE=$LOOMSHIM_CONTROL_PLANE has no program $program"
    done
    realpath -- "$LOOMSHIM_CONTROL_PLANE"
    return
  fi
  if [[ ! -e $CACHE/control-plane/complete ]]; then
    work=$(mktemp -d "$CACHE/control-plane-work-XXXXXX")
    if go_build "$work" "${LOOMSHIM_KUBERNETES-}" "${programs[@]}" >"$CACHE/control-plane.log" 2>&1; then
      mkdir -p "$CACHE/control-plane"
      for program in "${programs[@]}"; do mv "$work/$program" "$CACHE/control-plane/$program"; done
      touch "$CACHE/control-plane/complete"
    else
      tail -n 3 "$CACHE/control-plane.log" >&2
    fi
    rm -rf "$work"
  fi
  [[ -e $CACHE/control-plane/complete ]] && printf '%s\n' "$CACHE/control-plane"
}

# minor_of PROGRAM: N of the version 1.N of a program of Kubernetes.
minor_of() { "$1" --version | sed 's/^[^.]*\.\([0-9]*\).*/\1/'; }

# --------------------------------------------------------------------------------- kubelet

# kernel_apart: in a mount namespace of its own, kubelet writes elsewhere what it sets in the kernel, which is the whole
# machine's: what happens for want of memory, and in a panic.
kernel_apart() {
  local name
  for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    mkdir -p "/tmp/sys/${name%/*}"
    cat "/proc/sys/$name" >"/tmp/sys/$name"
    mount --bind "/tmp/sys/$name" "/proc/sys/$name"
  done
}

# make_cgroups GROUP: in the hierarchies of version 1, or in the one of version 2.
make_cgroups() {
  local directory hierarchies=(/sys/fs/cgroup)
  [[ -e /sys/fs/cgroup/cgroup.procs ]] || hierarchies=(/sys/fs/cgroup/*)
  for directory in "${hierarchies[@]}"; do
    [[ ! -e $directory/cgroup.procs || -L $directory ]] || mkdir -p "$directory/$1"
  done
}

# remove_cgroups GROUP: with those that containerd makes for pods without a parent.
remove_cgroups() {
  find /sys/fs/cgroup -depth -type d \( -path "*/$1*" -o -path '*/k8s.io*' \) -exec rmdir {} + 2>/dev/null || true
}

# -------------------------------------------------------------------------------- waiting

# becomes VALUE COMMAND...: waits until the command prints the value, WAIT_SECONDS_MAX of the script at most.
becomes() {
  local wanted=$1 is='' i
  shift
  for ((i = 0; i < WAIT_SECONDS_MAX * 2; i++)); do
    is=$("$@" 2>/dev/null) || is=''
    [[ $is != "$wanted" ]] || return 0
    sleep 0.5
  done
  printf 'is %q, not %q\n' "$is" "$wanted"
  return 1
}
