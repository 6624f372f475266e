#!/usr/bin/env bash
# The first hour of an administrator: types the commands of README.md into a bare Debian that has nothing but what the
# README asks for: a container through ctr, Docker and CRI, settings, mistakes in them, an upgrade and a removal.
#
#   integration/first-hour.sh [SUITE...]       bookworm, trixie: Debian 12 and 13, which are the default
#
# All of it happens in a tree of its own, in a mount and a pid namespace. There is no systemd, so what systemd would start
# is started by hand; nothing is pulled, as the image is made here. The last line is the sum: `N passed, N failed,
# N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"

readonly SOURCE=/root/loomshim IMAGE=docker.io/library/busybox:latest
# the parents of containers' cgroups
readonly MADE='default|k8s\.io|docker'
# that apt, Maven and the build may take
readonly COMMAND_SECONDS_MAX=900

# --------------------------------------------------------------------------------- outside

if [[ ${1-} != --inside ]]; then
  case ${1-} in
    -h | --help)
      usage
      exit 0
      ;;
    -*) refuse "unknown argument $1" ;;
  esac
  suites=("$@")
  ((${#suites[@]})) || suites=(bookworm trixie)
  need_root
  need_packages util-linux
  # the client of CRI is one of the tests' classes, and runs on a JDK outside of the tree
  JAVA_HOME=$(find_jdk 21 || need_jdk 21)
  export JAVA_HOME
  new_scope
  trap end_scope EXIT
  trap 'exit 130' INT TERM HUP
  ./mvnw -q -B -ntp test-compile dependency:copy-dependencies -DincludeScope=test -DoutputDirectory="$SCOPE/lib" </dev/null
  free_root_cgroup
  # what containerd and Docker make there stays, as everywhere; where they are at home it is theirs
  find /sys/fs/cgroup -maxdepth 2 -type d | grep -E "/($MADE)\$" >"$SCOPE/cgroups" || true
  passed=0 failed=0
  for suite in "${suites[@]}"; do
    tree=$SCOPE/$suite
    cp -a "$(debian_tree "bare-$suite" "$suite")" "$tree"
    mkdir -p "$tree$SOURCE"
    git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$tree$SOURCE"
    [[ -d $SCOPE/busybox ]] || make_rootfs "$SCOPE/busybox"
    make_image "$SCOPE/busybox" "$IMAGE" "$tree/root/image.tar"
    cp -R /usr/local/share/ca-certificates "$tree/usr/local/share/" 2>/dev/null || true
    # with the first process of the pid namespace all others in it end
    SCOPE=$SCOPE NAMESPACE=$NAMESPACE unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
      "$PROGRAM" --inside "$suite" || true
    read -r p f <"$SCOPE/sum" || { p=0 f=1 && printf 'FAILED %s did not come to its end\n' "$suite"; }
    passed=$((passed + p)) failed=$((failed + f))
    rm -f "$SCOPE"/sum "$SCOPE"/*.pid
    find /sys/fs/cgroup -maxdepth 2 -type d | grep -E "/($MADE)\$" | grep -vxFf "$SCOPE/cgroups" | while read -r directory; do
      find "$directory" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done || true
    rm -rf --one-file-system "$tree"
  done
  printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
  ((failed == 0))
  exit
fi

# ---------------------------------------------------------------------------------- inside
suite=$2
tree=$SCOPE/$suite
passed=0 failed=0 CHECK_ABOUT="$suite: "

mount --bind "$tree" "$tree"  # runc wants a mount as its root
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount --rbind /dev "$tree/dev"
mount -t tmpfs tmpfs "$tree/run"
mkdir -p "$tree"/var/lib/{containerd,docker} "$tree/root/.m2"
# an overlay does not stand on every file system, and may on this one
for directory in containerd docker; do mount -t tmpfs tmpfs "$tree/var/lib/$directory"; done
# what Maven has fetched already
[[ ! -d ~/.m2/repository ]] || mount --bind ~/.m2 "$tree/root/.m2"
for file in /etc/hosts /etc/resolv.conf; do
  [[ ! -e $file ]] || cp -L --remove-destination "$file" "$tree$file"
done
printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
chmod 755 "$tree/usr/sbin/policy-rc.d"

in_tree() {
  timeout --kill-after 5 "$COMMAND_SECONDS_MAX" chroot "$tree" env -i HOME=/root DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}
# types LINE: what stands in a document, in the directory of the source.
types() { in_tree sh -c "cd $SOURCE && $1"; }

# Keeps what each test has printed.
checked() { printf '== %s\n%s\n' "$1" "$2" >>"$REPO/target/first-hour-$suite.log"; }
prints() {
  local wanted=$1 output
  shift
  output=$("$@") || return 1
  [[ $output == "$wanted" ]] || { printf 'is %q, not %q\n' "$output" "$wanted" && return 1; }
}

# forever NAME COMMAND...: what systemd would run; its pid is in SCOPE.
forever() {
  chroot "$tree" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LOOMSHIM_SCOPE="$SCOPE" "${@:2}" >>"$REPO/target/first-hour-$suite-$1.log" 2>&1 </dev/null &
  echo "$!" >"$SCOPE/$1.pid"
}
answers() {
  local i
  for ((i = 0; i < 200; i++)); do
    ! in_tree "$@" >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  in_tree "$@"
}
restart_containerd() {
  if [[ -e $SCOPE/containerd.pid ]]; then
    kill -TERM "$(<"$SCOPE/containerd.pid")"
    gone_within "$(<"$SCOPE/containerd.pid")" 10
  fi
  forever containerd containerd
  answers ctr version
}
end_of() {
  kill -TERM "$(<"$SCOPE/$1.pid")"
  gone_within "$(<"$SCOPE/$1.pid")" 20
}

# block: the lines of the first block of sh in README.md, without comments.
# shellcheck disable=SC2016 # three quotes of Markdown
block() { sed -n '/^```sh$/,/^```$/p' README.md | sed '1d;/^```$/,$d;s/  *# .*//'; }
# row TEXT: the first command in the table "The first hour" of README.md, in the row with TEXT.
row() {
  # shellcheck disable=SC2016 # quotes of Markdown
  sed -n '/^## The first hour/,/^## Guides/p' README.md | grep -F "| $1" | grep -oE '`[^`]+`' | sed -n "${2:-1}s/\`//gp"
}
current() { basename "$(readlink "$tree/usr/local/lib/loomshim/current")"; }
settings() { printf '%s\n' "$@" >"$tree/usr/local/etc/loomshim.conf"; }

mkdir -p target "$tree/etc/docker"
rm -f "target/first-hour-$suite"*.log

# ------------------------------------------------------------------------------- the README
check 'README: apt-get install containerd' in_tree sh -c 'apt-get -qq update && apt-get -qq -y install containerd'
# a machine within a machine may not protect processes from the kernel's want of memory, as the sandbox of a pod asks
sed -i '/^ *\[plugins."io.containerd.grpc.v1.cri"\]/a restrict_oom_score_adj = true' "$tree/etc/containerd/config.toml"
(cd "$tree" && find etc opt usr var/lib -xdev | LC_ALL=C sort) >"$SCOPE/before"
check 'containerd runs' restart_containerd
check 'an image, in place of the pull' in_tree ctr image import /root/image.tar
run=$(block | grep '^ctr run ')
install=$(block | grep '^packaging/install.sh')
check "README: $install" types "$install"
check "README: $run" prints hello types "$run"
check 'check finds nothing' types 'containerd-shim-loom-v1 check'
check "README: $(row 'see what runs')" types "$(row 'see what runs')"

# -------------------------------------------------------------------------------------- CRI
configure=$(row 'have the runtime in CRI')
check "README: $configure" types "$configure"
check 'containerd is started again' restart_containerd
pod() {
  prints '0 in a pod' timeout 90 "$JAVA_HOME/bin/java" -cp "target/test-classes:target/classes:$SCOPE/lib/*" \
    io.loomshim.integration.clients.CriRound "$tree/run/containerd/containerd.sock" "$IMAGE" loom "/$NAMESPACE/pod"
}
pause() {
  # the image of sandboxes cannot be pulled here
  local name
  name=$(in_tree containerd config dump | sed -n "s/^ *sandbox\(_image\)\{0,1\} = ['\"]\(.*\)['\"]/\2/p" | head -n 1)
  in_tree ctr -n k8s.io images import /root/image.tar
  in_tree ctr -n k8s.io images tag "$IMAGE" "$name"
}
check 'the image of sandboxes' pause
check 'a pod by CRI, with the handler loom' pod

# ----------------------------------------------------------------------------------- Docker
check 'apt-get install docker.io' in_tree apt-get -qq -y install docker.io
docker=$(row 'run a container with Docker')
docker_up() {
  # the rules of this machine's network stay as they are
  forever docker dockerd --containerd=/run/containerd/containerd.sock --iptables=false --ip6tables=false \
    --ip-forward=false --ip-masq=false --bridge=none
  answers docker version
  in_tree docker load --input /root/image.tar
}
check 'Docker runs' docker_up
if [[ $(in_tree docker --version) == *' 20.10.'* ]]; then
  # docs/DOCKER.md says so
  too_old() {
    local output
    ! output=$(types "$docker" 2>&1) || return 1
    printf '%s\n' "$output"
    [[ ${output,,} == *'unknown runtime specified io.containerd.loom.v1'* ]]
    end_of docker
    install -m 755 "$(need_docker trixie)"/{docker,dockerd} "$tree/usr/local/bin/"
  }
  check 'Docker 20.10 refuses it' too_old
  check 'a newer Docker runs' docker_up
fi
check "README: $docker" prints hello types "$docker"
in_daemon_json() {
  # shellcheck disable=SC2016 # quotes of Markdown
  sed -n '/^```json$/,/^```$/p' docs/DOCKER.md | sed '1d;$d' >"$tree/etc/docker/daemon.json"
  printf 'BinaryName = "/usr/sbin/runc"\n' >"$tree/etc/docker/loomshim-options.toml"
  kill -HUP "$(<"$SCOPE/docker.pid")"
  answers docker info --format '{{index .Runtimes "loom"}}'
  prints hello types 'docker run --rm --runtime loom busybox echo hello'
  rm "$tree"/etc/docker/{daemon.json,loomshim-options.toml}
}
check 'docs/DOCKER.md: a short name and options' in_daemon_json

# --------------------------------------------------------------------------------- settings
two_settings() {
  local output
  settings '# of a newcomer' 'mode = pod' 'linger_seconds = 2   # not long'
  output=$(types "$(row 'change a' 2)")
  grep -E '^  mode +pod +/usr/local/etc/loomshim.conf:2' <<<"$output"
  grep -E '^  linger_seconds +2 +/usr/local/etc/loomshim.conf:3' <<<"$output"
  prints hello types "$run"
}
check 'two settings' two_settings
three_mistakes() {
  local output
  settings 'mode = pot' 'linger_second = 5' 'run_dir = "/run/loom'
  output=$(types "$(row 'change a' 2)") && return 1
  printf '%s\n' "$output"
  grep -F 'loomshim.conf:1: mode=pot is none of namespace, pod, container' <<<"$output"
  grep -F 'loomshim.conf:2: there is no setting linger_second; is linger_seconds meant?' <<<"$output"
  grep -F 'loomshim.conf:3: run_dir="/run/loom has a quote that is not closed' <<<"$output"
  grep -F 'mistakes in the settings: 3; containers start all the same' <<<"$output"
  prints hello types "$run"
}
check 'three mistakes, each with file and line, and a container all the same' three_mistakes
settings ''

# ---------------------------------------------------------------------------------- upgrade
upgrade=$(row 'upgrade, beside')
upgraded() {
  local before
  before=$(current)
  in_tree ctr run -d --runtime io.containerd.loom.v1 "$IMAGE" old sleep 1000
  # in place of git pull
  printf '# changed\n' >>"$tree$SOURCE/src/main/launcher/check.sh"
  types "${upgrade#git pull && }"
  [[ $(current) != "$before" ]] || { echo 'the build is the same' && return 1; }
  prints still in_tree ctr task exec --exec-id e old echo still
  prints hello types "${run/ hello / second }"
}
check "README: $upgrade" upgraded

# ---------------------------------------------------------------------------------- removal
removal=$(row 'remove it' 2)
refused() {
  local output
  ! output=$(types "$removal" 2>&1) || return 1
  printf '%s\n' "$output"
  [[ $output == *'end those first, or use --drain or --force'* ]]
}
check 'a removal is refused while a container runs' refused
check 'its containers go' in_tree sh -c 'ctr task rm -f old; ctr container rm old'
check "README: $(row 'remove it')" types "$(row 'remove it')"
check "README: $removal" types "$removal --purge"
nothing_left() {
  (cd "$tree" && find etc opt usr var/lib -xdev | LC_ALL=C sort) | comm -13 "$SCOPE/before" - |
    grep -E 'loomshim|containerd-shim-loom|containerd/(conf.d|loom)' && return 1
  [[ ! -e $tree/run/loomshim ]]
}
check 'nothing is left' nothing_left
end_of docker || true
end_of containerd || true
printf '%s %s\n' "$passed" "$failed" >"$SCOPE/sum"
