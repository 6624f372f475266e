#!/usr/bin/env bash
# Installs, upgrades and removes the packages of packaging/package.sh in a Debian tree that has containerd and
# runc and no Java, with containers that run meanwhile. Everything happens in a mount and a pid namespace, so that
# nothing can stay when this ends.
#
#   packaging/package-test.sh [--no-build | --quick]
#
#   --no-build  packages target/loomshim as it is
#   --quick     the same, and compresses the packages little
#
# The last line is the sum: `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"
case ${1-} in
  '' | --no-build | --quick | --inside) ;;
  -h | --help)
    usage
    exit 0
    ;;
  *) refuse "unknown argument $1" ;;
esac

readonly RUNTIME=io.containerd.loom.v1
readonly LINGER_SECONDS=2
readonly IMAGE=docker.io/library/loomshim-test:latest
readonly BUILDS=/usr/lib/loomshim

# ------------------------------------------------------------------ outside: what is missing

if [[ ${1-} != --inside ]]; then
  need_root
  need_packages util-linux lintian
  need_command curl  # the image of the DaemonSet has it
  mkdir -p target "$CACHE"
  new_scope
  trap end_scope EXIT
  trap 'exit 130' INT TERM HUP
  first=("$@")
  [[ ${1-} != --quick ]] || first=(--no-build --quick)
  packaging/package.sh "${first[@]}" --out "$SCOPE/one" --version 1.0.0
  packaging/package.sh --no-build --quick --out "$SCOPE/two" --version 1.0.1
  # for the machine of integration/systemd/run.sh
  rm -rf target/package-test
  mkdir target/package-test
  cp "$SCOPE"/one/*.deb target/package-test/
  suite=bookworm
  libc=$(dpkg-deb -f "$SCOPE"/one/*.deb Depends | sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p')
  ! dpkg --compare-versions "$libc" gt 2.36 || suite=trixie
  cp -a "$(debian_tree "tree-$suite" "$suite" containerd,runc)" "$SCOPE/tree"
  make_rootfs "$SCOPE/tree/srv/rootfs"
  make_image "$SCOPE/tree/srv/rootfs" "$IMAGE" "$SCOPE/tree/srv/image.tar"
  # the client of CRI is one of the tests' classes, and runs on a JDK outside of the tree
  JAVA_HOME=$(find_jdk 21 || need_jdk 21)
  export JAVA_HOME
  ./mvnw -q -B -ntp test-compile dependency:copy-dependencies -DincludeScope=test -DoutputDirectory="$SCOPE/lib" </dev/null
  free_root_cgroup
  status=0
  # with the first process of the pid namespace all others in it end
  SCOPE=$SCOPE NAMESPACE=$NAMESPACE unshare --mount --propagation private --pid --fork --kill-child \
    "${BASH_SOURCE[0]}" --inside || status=$?
  end_scope
  left=$(leftovers)
  if [[ -n $left ]]; then
    printf 'FAILED nothing is left behind\n%s\n0 passed, 1 failed, 0 skipped\n' "$left"
    exit 1
  fi
  exit "$status"
fi

# ------------------------------------------------------------------------------ inside: help
tree=$SCOPE/tree
passed=0 failed=0

in_tree() {
  timeout --kill-after 5 90 chroot "$tree" env -i HOME=/root DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}

# t ARGUMENT...: ctr in the tree, namespace `space`.
space=$NAMESPACE
t() { in_tree ctr -n "$space" "$@"; }

run() {
  local id=$1
  shift
  t run --runtime "$RUNTIME" --rootfs --cgroup "/$NAMESPACE/$space-$id" "${flags[@]}" /srv/rootfs "$id" "$@"
}
flags=(--rm)

# detached ID: a container that stays.
detached() {
  local flags=(--detach)
  run "$1" /bin/sleep 1000
}

equals() { [[ -n $1 && $1 == "$2" ]] || { printf 'is %q, not %q\n' "$1" "$2"; return 1; }; }
fails_with() {
  local wanted=$1 output
  shift
  ! output=$("$@" 2>&1) || { printf 'it succeeded: %s\n' "$output"; return 1; }
  [[ $output == *"$wanted"* ]] || { printf '%s\n' "$output"; return 1; }
}
prints() {
  local wanted=$1 output
  shift
  output=$("$@" 2>&1) || { printf 'status %s: %s\n' "$?" "$output"; return 1; }
  equals "$output" "$wanted"
}

# daemon_of ID: the pid of the daemon that serves it.
daemon_of() { cat "$tree/run/containerd/io.containerd.runtime.v2.task/$space/$1/shim.pid"; }
build_of() { tr '\0' '\n' <"/proc/$1/cmdline" | sed -n "s#^$BUILDS/\([0-9a-f]*\)/loomshim.jar\$#\1#p"; }
current() { readlink "$tree$BUILDS/current"; }
status_of() { t tasks ls | awk -v id="$1" '$1 == id { print $3 }'; }
# remove ID: ends and removes a container.
remove() {
  t tasks kill -s KILL "$1"
  for ((i = 0; i < 100; i++)); do
    [[ $(status_of "$1") != STOPPED ]] || break
    sleep 0.1
  done
  t tasks rm "$1" || true  # the exit status is that of the container
  t containers rm "$1"
  [[ -z $(status_of "$1") ]]
}
# files: prints those in the tree, without what containerd, dpkg and apt make for themselves.
files() {
  (cd "$tree" && find etc opt usr run var/lib srv | LC_ALL=C sort) |
    grep -vE '^(etc|opt|run|var/lib)/containerd|^etc/cni|^var/lib/(dpkg|apt)/'
}

containerd_up() {
  in_tree_forever containerd
  for ((i = 0; i < 100; i++)); do
    ! t version >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  tail -n 20 "$SCOPE/containerd.log"
  return 1
}
in_tree_forever() {
  chroot "$tree" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LOOMSHIM_SCOPE="$SCOPE" "$@" >>"$SCOPE/containerd.log" 2>&1 </dev/null &
  echo "$!" >"$SCOPE/containerd.pid"
}

mount --bind "$tree" "$tree"  # runc wants a mount as its root
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount --rbind /dev "$tree/dev"
mount -t tmpfs tmpfs "$tree/run"
mount -t proc proc /proc
mkdir -p "$tree/etc/containerd" "$tree/packages"
# what every machine has and a bare tree has not; CRI gives each pod copies
[[ -e $tree/etc/hosts ]] || printf '127.0.0.1 localhost\n' >"$tree/etc/hosts"
[[ -e $tree/etc/resolv.conf ]] || : >"$tree/etc/resolv.conf"
cp "$SCOPE"/one/* "$SCOPE"/two/* "$tree/packages/"
cat >"$tree/etc/containerd/config.toml" <<'END'
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "@image@"
  restrict_oom_score_adj = true
# where runtimes are configured, the default one must be too
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
END
sed -i "s|@image@|$IMAGE|" "$tree/etc/containerd/config.toml"
architecture=$(dpkg --print-architecture)
apt_install() { in_tree apt-get -qq -y install "/packages/loomshim_$1_$architecture.deb"; }
removal() { in_tree env LOOMSHIM_REMOVE="$1" apt-get -qq -y remove loomshim; }
files >"$SCOPE/before"

# ------------------------------------------------------------------------------ installation
check "lintian finds nothing" lintian --allow-root --profile debian --fail-on error,warning \
  "$SCOPE/one/loomshim_1.0.0_$architecture.deb"
no_java() { ! in_tree sh -c 'command -v java'; }
check "the tree has no Java" no_java
check "the package installs beside containerd and runc alone" apt_install 1.0.0
check "a start-up archive was made" test -s "$tree$BUILDS/current/loomshim.jsa"
check "the launcher tells its version" grep -q 'Version:  1.0.0' <(in_tree containerd-shim-loom-v1 -v)
printf 'linger_seconds=%s\n' "$LINGER_SECONDS" >>"$tree/etc/loomshim.conf"
cp "$tree/etc/containerd/config.toml" "$SCOPE/config.toml"
check "configure.sh of the package makes it a runtime of CRI" in_tree /usr/share/loomshim/kubernetes/configure.sh
check "containerd starts" containerd_up
cri_ready() {
  t plugins ls | grep -E ' cri ' | tee /dev/stderr | grep -qE 'ok *$' || { grep -F cri "$SCOPE/containerd.log"; return 1; }
}
check "its CRI plugin takes our runtime" cri_ready

check "a container runs" prints hello run one /bin/echo hello
exit_code() { ! run two /bin/sh -c 'exit 42' && run three /bin/true; }
check "exit codes arrive" exit_code
check "a container stays" detached stays
check "exec" prints in t tasks exec --exec-id e stays /bin/echo in
check "metrics" t tasks metrics stays
recording() {
  local daemon
  daemon=$(daemon_of stays)
  in_tree "$BUILDS/current/jre/bin/jcmd" "$daemon" JFR.start name=one
  in_tree "$BUILDS/current/jre/bin/jcmd" "$daemon" JFR.dump name=one filename=/tmp/one.jfr
  in_tree "$BUILDS/current/jre/bin/jcmd" "$daemon" JFR.stop name=one
  in_tree "$BUILDS/current/jre/bin/jfr" summary /tmp/one.jfr | grep -q jdk.CPULoad
}
check "the flight recorder records the daemon" recording
metrics() {
  in_tree containerd-shim-loom-v1 inspect --prometheus >"$SCOPE/metrics"
  grep -q '^loomshim_containers.* 1$' "$SCOPE/metrics"
  "$PROMTOOL" check metrics <"$SCOPE/metrics"
}
if PROMTOOL=$(promtool_binary); then check "promtool finds nothing in the metrics of the daemon" metrics; fi
dump() {
  in_tree "$BUILDS/current/jre/bin/jcmd" "$(daemon_of stays)" Thread.dump_to_file "/tmp/threads-$1"
  grep -q 'exit/stays' "$tree/tmp/threads-$1"
}
check "jcmd writes the daemon's threads" dump one
archive_used() { grep -q 'loomshim.jsa' "/proc/$(daemon_of stays)/maps"; }
check "the daemon uses the archive" archive_used
check "kill and delete" remove stays
in_kubernetes() {
  local space=k8s.io
  prints pod run pod /bin/echo pod
}
check "a container runs in the namespace of the CRI" in_kubernetes
pod() {
  local answer status=0
  in_tree ctr -n k8s.io images import /srv/image.tar
  answer=$(timeout 90 "$JAVA_HOME/bin/java" -cp "target/test-classes:target/classes:$SCOPE/lib/*" \
    io.loomshim.integration.clients.CriRound "$tree/run/containerd/containerd.sock" "$IMAGE" loom "/$NAMESPACE/pod" \
    2>"$SCOPE/client.log") || status=$?
  if ((status != 0)) || ! equals "$answer" '0 in a pod'; then
    printf 'status %s\n' "$status"
    cat "$SCOPE/client.log"
    return 1
  fi
}
check "a pod with a container runs by CRI" pod

# ----------------------------------------------------------------------------------- upgrade
# a daemon of its own that has done nothing yet but create and start: what it loads later, it loads
# after its files have been replaced
space=$NAMESPACE-up
check "a container runs before the upgrade" detached old
daemon=$(daemon_of old) build=$(build_of "$(daemon_of old)")
check "its daemon is of the first build" equals "$build" "$(current)"
check "the upgrade is not refused" apt_install 1.0.1
switched() { [[ $(current) != "$build" && -d /proc/$daemon ]]; }
check "the second build is current, the daemon of the first runs on" switched
check "the package manager has kept the settings" grep -q "^linger_seconds=$LINGER_SECONDS" "$tree/etc/loomshim.conf"
check "the old container still runs" prints RUNNING status_of old
check "exec in it" prints in t tasks exec --exec-id e1 old /bin/echo in
on_terminal() { script -qec "chroot '$tree' ctr -n '$space' tasks exec --tty --exec-id e2 old /bin/tty" /dev/null </dev/null; }
check "exec with a terminal in it" grep -q /dev/ <(on_terminal)
check "its processes" t tasks ps old
check "its metrics" t tasks metrics old
check "pause" t tasks pause old
check "resume" t tasks resume old
checkpoint_fails() { fails_with 'criu' t tasks checkpoint old; }
check "a checkpoint fails with runc's words, as there is no CRIU" checkpoint_fails
check "jcmd writes the threads of the old daemon" grep -q 'exit/old' <(
  in_tree "$BUILDS/current/jre/bin/jcmd" "$daemon" Thread.print 2>&1
  in_tree "$BUILDS/current/jre/bin/jcmd" "$daemon" Thread.dump_to_file /tmp/threads-old >/dev/null 2>&1
  cat "$tree/tmp/threads-old"
)
check "a new container runs" detached new
check "it has a daemon of the second build" equals "$(build_of "$(daemon_of new)")" "$(current)"
kept() { in_tree "$BUILDS/dist/install.sh" --prefix /usr --clean && [[ -d $tree$BUILDS/$build ]]; }
check "the files of a build that is in use stay" kept
check "the old container ends in order" remove old
check "its daemon ends" gone_within "$daemon" $((LINGER_SECONDS + 10))
cleaned() { in_tree "$BUILDS/dist/install.sh" --prefix /usr --clean && [[ ! -e $tree$BUILDS/$build ]]; }
check "the files of a build that is not in use any more go" cleaned

# ----------------------------------------------------------------------------------- removal
# unconfigured DIR: the configuration is as it was before configure.sh in DIR.
unconfigured() {
  in_tree "$1/configure.sh" --undo
  diff "$SCOPE/config.toml" "$tree/etc/containerd/config.toml"
}
check "configure.sh takes back what it wrote" unconfigured /usr/share/loomshim/kubernetes
check "a removal is refused while a container runs" fails_with 'still serve' removal ''
check "the container runs on" prints in t tasks exec --exec-id e3 new /bin/echo in
check "the next one starts" prints next run next /bin/echo next
drained() {
  local removal=
  removal drain >"$SCOPE/drain" 2>&1 &
  removal=$!
  for ((i = 0; i < 100; i++)); do
    ! grep -q 'waiting for' "$SCOPE/drain" || break
    sleep 0.1
  done
  cat "$SCOPE/drain"
  kill -0 "$removal"
  remove new
  wait "$removal"
  [[ ! -e $tree$BUILDS ]]
}
check "a removal that drains waits for the last container" drained
check "the package can be installed again" apt_install 1.0.0

# ------------------------------------------------------------------------------ a live upgrade
printf 'take_over=true\nauto_upgrade=true\n' >>"$tree/etc/loomshim.conf"
space=$NAMESPACE-live
check "a container with take_over runs" detached live
# serving: the pid of the daemon that serves it now, as the file in the run directory names it.
serving() { cut -d ' ' -f 1 "$tree$(cat "$tree/run/containerd/io.containerd.runtime.v2.task/$space/live/loom.run")/daemon"; }
daemon=$(serving || true) build=$(current)
init_of() { t tasks ls | awk -v id="$1" '$1 == id { print $2 }'; }
init=$(init_of live)
check "its daemon is of the first build" equals "$(build_of "$daemon")" "$build"
check "the upgrade with auto_upgrade is not refused" apt_install 1.0.1
handed_over() {
  [[ $(current) != "$build" && ! -d /proc/$daemon ]]
  equals "$(build_of "$(serving)")" "$(current)"
}
check "the daemon has handed over to the second build" handed_over
check "the files of the first build are gone" test ! -e "$tree$BUILDS/$build"
check "the container runs on" prints RUNNING status_of live
check "as the same process" prints "$init" init_of live
check "exec in it" prints in t tasks exec --exec-id e4 live /bin/echo in
check "a new container runs" detached more
check "and has the same daemon" equals "$(daemon_of more)" "$(serving)"
check "it ends in order" remove more
downgrade() { in_tree apt-get -qq -y --allow-downgrades install "/packages/loomshim_1.0.0_$architecture.deb"; }
check "back to the first build" downgrade
back() { equals "$(current)" "$build" && equals "$(build_of "$(serving)")" "$build"; }
check "the daemon has handed over to that" back
check "exec in the container" prints in t tasks exec --exec-id e5 live /bin/echo in
check "the container ends in order" remove live
forced() {
  detached forced
  removal force
  for ((i = 0; i < 100; i++)); do
    [[ $(status_of forced) == RUNNING ]] || break
    sleep 0.1
  done
  t containers rm forced
  ! grep -qs sleep /proc/[0-9]*/comm && [[ ! -e $tree$BUILDS ]]
}
check "a removal by force ends containers too" forced
nothing_left() {
  in_tree apt-get -qq -y purge loomshim
  sleep 0.1
  diff "$SCOPE/before" <(files)
}
check "a purge leaves nothing" nothing_left

# ----------------------------------------------------------------------------------- tarball
# containerd remembers where it has found a shim
kill -TERM "$(cat "$SCOPE/containerd.pid")"
gone_within "$(cat "$SCOPE/containerd.pid")" 10 || die "containerd does not end"
check "containerd is started again" containerd_up
tarball=loomshim-1.0.0-$architecture
check "the tarball unpacks" in_tree tar -C /opt -xzf "/packages/$tarball.tar.gz"
configured() {
  in_tree "/opt/$tarball/kubernetes/configure.sh" --option BinaryName=/usr/sbin/runc
  grep -q 'runtimes.loom' "$tree/etc/containerd/config.toml"
  unconfigured "/opt/$tarball/kubernetes"
}
check "configure.sh of the tarball writes and takes back" configured
check "it is linked to where containerd looks" in_tree ln -s "/opt/$tarball/bin/containerd-shim-loom-v1" /usr/local/bin/
check "a container runs from the unpacked tree" prints unpacked run unpacked /bin/echo unpacked
check "install.sh in it installs" in_tree "/opt/$tarball/install.sh"
check "an archive was made" test -s "$tree/usr/local/lib/loomshim/current/loomshim.jsa"
check "a container runs" prints installed run installed /bin/echo installed
in_place() {
  grep -q "^ExecStart=/usr/local/lib/loomshim/loomshim-warm start" "$tree/usr/local/lib/systemd/system/loomshim-warm@.service"
  [[ -s $tree/usr/local/share/man/man8/containerd-shim-loom-v1.8 ]]
  in_tree bash -c '. /usr/local/share/bash-completion/completions/containerd-shim-loom-v1; complete -p containerd-shim-loom-v1'
}
check "with a man page, a completion for bash and a unit" in_place
check "install.sh in it removes" in_tree "/opt/$tarball/install.sh" --uninstall --purge
check "the installation is gone" test ! -e "$tree/usr/local/lib/loomshim" -a ! -e "$tree/usr/local/bin/containerd-shim-loom-v1"

# ------------------------------------------------------------------------- the DaemonSet's script
# the payload of its image is the tarball; the tree is the node, without systemd
mkdir -p "$SCOPE/account" "$SCOPE/settings"
tar -C "$SCOPE" -xzf "$SCOPE/one/$tarball.tar.gz"
printf '# for all nodes\nlinger_seconds=%s\n' "$LINGER_SECONDS" >"$SCOPE/settings/loomshim.conf"
printf right >"$SCOPE/account/token"
: >"$SCOPE/account/ca.crt"
cp "$SCOPE/containerd.pid" "$tree/packages/containerd.pid"
cat >"$tree/packages/restart" <<'END'
#!/bin/sh
pid=$(cat /packages/containerd.pid)
kill "$pid"
while [ -d "/proc/$pid" ] && ! grep -q '^State:.*Z' "/proc/$pid/status"; do sleep 0.1; done
containerd >> /packages/containerd.log 2>&1 < /dev/null &
echo $! > /packages/containerd.pid
END
chmod 755 "$tree/packages/restart"
"$JAVA_HOME/bin/java" packaging/NodeApi.java "$SCOPE/requests" "$SCOPE/port" >"$SCOPE/api.log" 2>&1 </dev/null &
for ((i = 0; i < 300; i++)); do
  [[ ! -e $SCOPE/port ]] || break
  sleep 0.1
done
# node ACTION [NAME=VALUE...]: runs the script as on node n1.
node() {
  timeout --kill-after 5 120 env ACTION="$1" HOST="$tree" PAYLOAD="$SCOPE/$tarball" NODE_NAME=n1 STAY=false \
    API="http://127.0.0.1:$(<"$SCOPE/port")" ACCOUNT="$SCOPE/account" SETTINGS="$SCOPE/settings/loomshim.conf" \
    RESTART=/packages/restart READY="$SCOPE/ready" MESSAGE="$SCOPE/message" CONFIGURE='--option SystemdCgroup=false' \
    "${@:2}" packaging/kubernetes/node.sh
}
# labelled VALUE: the last request has given the node this label, in JSON.
labelled() {
  equals "$(tail -n 1 "$SCOPE/requests")" \
    "PATCH /api/v1/nodes/n1 application/merge-patch+json {\"metadata\":{\"labels\":{\"loomshim\":$1}}}"
}
config_sum() { sha256sum "$tree/etc/containerd/config.toml"; }
files >"$SCOPE/before-node"
config_sum >"$SCOPE/sum"
node_installed() {
  node install
  labelled '"true"'
  [[ -e $SCOPE/ready ]]
  grep -q "^linger_seconds=$LINGER_SECONDS" "$tree/usr/local/etc/loomshim.conf"
}
check "the script of the DaemonSet installs, configures, verifies and labels" node_installed
check "a pod runs on that node" pod
once() {
  local before
  before=$(<"$tree/packages/containerd.pid")
  node install
  equals "$(<"$tree/packages/containerd.pid")" "$before"
}
check "a second run restarts nothing" once
no_token() {
  printf wrong >"$SCOPE/account/token"
  fails_with 'the node cannot be labelled' node install
  printf right >"$SCOPE/account/token"
  grep -q 'not you' "$SCOPE/message"
}
check "an API server that refuses is told, in the termination message too" no_token
broken_node() {
  mv "$tree/usr/sbin/runc" "$tree/usr/sbin/runc.away"
  local status=0
  fails_with 'try_container has failed' node install || status=$?
  mv "$tree/usr/sbin/runc.away" "$tree/usr/sbin/runc"
  ((status == 0))
  labelled null
}
check "a node on which no container runs has no label" broken_node
node_removed() {
  node remove
  labelled null
  diff "$SCOPE/sum" <(config_sum)
  # a daemon of before may have ended meanwhile, with its run directory
  diff <(grep -v '^run/loomshim' "$SCOPE/before-node") <(files | grep -v '^run/loomshim')
  equals none "none$(LC_ALL=C comm -13 "$SCOPE/before-node" <(files))"
}
check "with ACTION=remove it takes everything back" node_removed

printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
((failed == 0))
