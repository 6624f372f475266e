#!/usr/bin/env bash
# Shows loomshim at work on real containers: gets what is missing (Debian, root), builds, installs
# into a temporary directory, starts a containerd of its own, and takes everything away again.
# Ends with an error if anything differs from what it should be.
#
#   integration/demo.sh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"
no_arguments "$@"

readonly RUNTIME=io.containerd.loom.v1
# how long a daemon without containers stays: shorter than usual, so that one can see it end
readonly LINGER_SECONDS=5

bold='' green='' dim='' plain=''
if [[ -t 1 ]]; then
  bold=$'\e[1m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
fi

heading() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
good() { printf '%s  ok: %s%s\n' "$green" "$*" "$plain"; }

# differs WHAT: the demo ends here, with what helps to see why.
differs() {
  printf '\nFAILED: %s\n' "$*"
  if [[ -r ${SCOPE-}/containerd.log ]]; then
    printf 'the end of the log of containerd:\n'
    grep -E 'level=(warn|error|fatal)' "$SCOPE/containerd.log" | tail -n 10 || tail -n 10 "$SCOPE/containerd.log"
  fi
  exit 1
}

# Prints a command as one would type it.
typed() {
  local word
  printf '%s  $' "$dim"
  for word; do
    [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ || $word == '&' ]] && printf ' %s' "$word" || printf ' %s' "${word@Q}"
  done
  printf '%s\n' "$plain"
}

# run COMMAND...: shows the command, runs it, shows its output; sets `output` and `status`.
run() {
  typed "$@"
  status=0
  output=$(timeout 60 "$@" 2>&1 </dev/null) || status=$?
  [[ -z $output ]] || printf '%s\n' "$output" | sed 's/^/  /'
}

# run_ok COMMAND...: the same, and anything but success ends the demo.
run_ok() {
  run "$@"
  ((status == 0)) || differs "exit code $status of $*"
}

# --------------------------------------------------------------------------------- prepare
heading "Prepare"
need_root
need_packages ca-certificates
JAVA_HOME=$(find_jdk 21 || need_jdk 21)
export JAVA_HOME
need_containerd
printf '  JDK         %s (%s)\n' "$(sed -n 's/^JAVA_VERSION="\(.*\)"/\1/p' "$JAVA_HOME/release")" "$JAVA_HOME"
printf '  containerd  %s\n' "$(containerd --version | cut -d ' ' -f 3)"
printf '  runc        %s\n' "$(runc --version | sed -n 's/^runc version //p')"

new_scope
trap end_scope EXIT
trap 'exit 130' INT TERM HUP
mkdir -p target
typed ./mvnw -q -B -DskipTests package
./mvnw -q -B -DskipTests package >target/demo-build.log 2>&1 </dev/null || {
  tail -n 20 target/demo-build.log
  differs "the build"
}
mkdir -p "$SCOPE/prefix/etc"
printf 'run_dir=%s\nlinger_seconds=%s\n' "$SCOPE/run" "$LINGER_SECONDS" >"$SCOPE/prefix/etc/loomshim.conf"
run_ok packaging/install.sh --prefix "$SCOPE/prefix"
shim=$SCOPE/prefix/bin/containerd-shim-loom-v1
[[ -x $shim ]] || differs "no $shim"
make_rootfs "$SCOPE/rootfs"

export CONTAINERD_ADDRESS=$SCOPE/containerd.sock CONTAINERD_NAMESPACE=$NAMESPACE
printf '%s  $ export CONTAINERD_ADDRESS=%s CONTAINERD_NAMESPACE=%s%s\n' \
  "$dim" "$CONTAINERD_ADDRESS" "$CONTAINERD_NAMESPACE" "$plain"
# shellcheck disable=SC2016 # printed as it is typed
printf '%s  $ PATH=%s:$PATH containerd --config %s &%s\n' "$dim" "${shim%/*}" "$SCOPE/config.toml" "$plain"
containerd_start PATH="${shim%/*}:$PATH"
good "containerd $(ctr version | sed -n '/Server/,$s/^ *Version: *//p') answers"

# ------------------------------------------------------------------------------- plain run
heading "A plain run"
run_ok ctr run --rm --runtime "$RUNTIME" --rootfs "$SCOPE/rootfs" hello /bin/echo "hello from a container"
[[ $output == "hello from a container" ]] || differs "the output of echo"

heading "An exit code"
run ctr run --rm --runtime "$RUNTIME" --rootfs "$SCOPE/rootfs" code /bin/sh -c "exit 42"
((status == 42)) || differs "exit code $status instead of 42"
good "ctr ended with $status, as the container did"

# ------------------------------------------------------------------------------------ kill
heading "A container that runs until it is killed"
victim=(ctr run --rm --runtime "$RUNTIME" --rootfs "$SCOPE/rootfs" victim /bin/sleep 1000)
typed "${victim[@]}" "&"
timeout 60 "${victim[@]}" </dev/null &
client=$!
for ((i = 0; i < 100; i++)); do
  [[ $(ctr task ls) == *victim*RUNNING* ]] && break
  sleep 0.1
done
run_ok ctr task kill --signal SIGKILL victim
typed wait %1
status=0
wait "$client" || status=$?
((status == 137)) || differs "exit code $status instead of 137"
good "exit code 137: 128 + 9, SIGKILL"

# --------------------------------------------------------------------------- one daemon
heading "Two containers, one daemon"
for id in web-1 web-2; do
  run_ok ctr run --detach --runtime "$RUNTIME" --rootfs "$SCOPE/rootfs" "$id" /bin/sleep 1000
done
run_ok ctr task ls
for id in web-1 web-2; do
  [[ $output =~ $id\ +[0-9]+\ +RUNNING ]] || differs "$id does not run"
done
bundles=$SCOPE/state/io.containerd.runtime.v2.task/$NAMESPACE
parents=()
for id in web-1 web-2; do
  pid=$(sed -nE "s/^$id +([0-9]+) .*/\1/p" <<<"$output")
  parents+=("$(sed -nE 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")")
done
run_ok head "$bundles/web-1/address" "$bundles/web-2/address"
cmp -s "$bundles/web-1/address" "$bundles/web-2/address" || differs "two addresses"
daemon=${parents[0]}
[[ $daemon == "${parents[1]}" ]] || differs "the containers have two parents: ${parents[*]}"
for id in web-1 web-2; do
  [[ ! -e $bundles/$id/shim.pid || $(<"$bundles/$id/shim.pid") == "$daemon" ]] || differs "the shim.pid of $id"
done
kib() { awk -v key="$1:" '$1 == key { printf "%.1f MB", $2 / 1024 }' "$2"; }
good "process $daemon serves both: $(kib Rss "/proc/$daemon/smaps_rollup") resident, $(
  kib Pss "/proc/$daemon/smaps_rollup"
) of it its own share, $(sed -n 's/^Threads:[[:space:]]*//p' "/proc/$daemon/status") OS threads"
remember_sockets
# only a JVM takes the signal that jcmd sends well
if [[ $(readlink "/proc/$daemon/exe") == */java ]] &&
  timeout 20 "$JAVA_HOME/bin/jcmd" "$daemon" Thread.dump_to_file "$SCOPE/threads" >/dev/null 2>&1; then
  printf '  its virtual threads:\n'
  sed -nE 's/^#[0-9]+ "(.*)" virtual.*/    \1/p' "$SCOPE/threads" | head -n 12
fi

heading "State and Pids"
run_ok ctr task ls
pid=$(sed -nE 's/^web-1 +([0-9]+) .*/\1/p' <<<"$output")
run_ok ctr task ps web-1
grep -qE "^$pid( |$)" <<<"$output" || differs "process $pid is not in the list"
good "process $pid is $(xargs -0 <"/proc/$pid/cmdline")"

# ---------------------------------------------------------------------------------- the end
heading "Take it all away"
for id in web-1 web-2; do
  run ctr task rm --force "$id"
  ((status == 0 || status == 137)) || differs "exit code $status"
  run_ok ctr container rm "$id"
done
for what in tasks containers; do
  run_ok ctr "$what" ls -q
  [[ -z $output ]] || differs "$what are left"
done
mounts=$(scope_mounts)
[[ -z $mounts ]] || differs "mounts are left: $mounts"
[[ -z $(ls -A "$bundles") ]] || differs "bundles are left: $(ls -A "$bundles")"
! scope_cgroups | grep -vx ".*/$NAMESPACE" || differs "cgroups are left"
good "no task, mount, bundle or cgroup of a container is left"
gone_within "$daemon" $((LINGER_SECONDS + 10)) || differs "the daemon still runs"
good "the daemon waited $LINGER_SECONDS s for the next container and ended"
run_ok packaging/install.sh --uninstall --purge --prefix "$SCOPE/prefix"
sockets=$(scope_sockets)
end_scope
left=$(leftovers)
for path in $sockets; do
  [[ ! -e $path ]] || left+=" socket $path"
done
[[ -z $left && ! -e $SCOPE ]] || differs "left behind: $left"
good "no process, mount, cgroup, socket or file is left"
printf '\n%sEverything works.%s\n' "$bold" "$plain"
