# The paths of containerd-shim-loom-v1 that start other programs anyway, read only when needed:
# finding a JDK, starting the daemon, deleting a container without it, describing the shim.
# shellcheck shell=sh disable=SC2034,SC2154 # the variables are the launcher's

OPTIONS_FILES_MAX=512  # remembered answers about options on stdin; all are dropped beyond it
LOCK_TRIES_MAX=5       # to open a lock file that somebody may just have removed
LOCK_SECONDS_MAX=100   # containerd gives a shim 100 s to become reachable
UNMOUNT_TRIES_MAX=50   # of 50 ms each: within the 5 s that containerd gives `delete`
PATH_CHARS_MAX=4096    # the kernel's limit; a shell needs minutes to cut a text of 400 KB at its last slash

usage() {
  [ -z "$1" ] || printf '%s\n' "$1"
  printf 'Usage of %s:\n' "${0##*/}"
  for line in '-address string' '-bundle string' '-debug' '-debug-socket string' '-id string' '-info' \
      '-namespace string' '-publish-binary string' '-socket string' '-v'; do
    printf '  %s\n' "$line"
  done
} >&2

# unwritten FILE TEXT: tries it again with a program that says why, and ends if that fails too.
unwritten() {
  why=$(printf %s "$2" | tee -- "$1" 2>&1 > /dev/null) && return
  rm -f -- address shim.pid loom.run loom.env loom.limits
  fail "cannot write ${PWD-}/$1: ${why##*: }"
}

# ---- the JDK ----

# release HOME: reads the JDK's version into `version_read`; fails when there is none.
release() {
  version_read=
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
  while IFS='=' read -r name value; do
    [ "$name" = JAVA_VERSION ] || continue
    value=${value#\"}
    version_read=${value%%[!0-9]*}
    break
  done < "$1/release"
  [ -n "$version_read" ]
}

# find_java: sets `java` and `java_version`. What the user set is taken as it is.
find_java() {
  if [ -n "$java" ]; then
    [ -x "$java" ] || fail "no JDK 21 or newer found: java=$java in $config cannot be run"
    if release "${java%/bin/java}"; then java_version=$version_read; fi
    return
  fi
  java=$installed_java
  if [ -x "$java" ]; then return; fi
  best=0
  onpath=$(readlink -f -- "$(command -v java)" 2>/dev/null)
  set +f
  for candidate in "${JAVA_HOME-}" /usr/lib/jvm/* "${onpath%/bin/java}"; do
    if release "$candidate" && [ "$version_read" -ge 21 ] && [ "$version_read" -gt "$best" ]; then
      best=$version_read java=$candidate/bin/java
    fi
  done
  set -f
  java_version=$best
  [ "$best" -ge 21 ] || fail "no JDK 21 or newer found: looked at JAVA_HOME, /usr/lib/jvm and PATH"
}

# jvm ARG...: becomes the JVM; the caller has arranged its file descriptors. Why these options and not
# others: docs/DECISIONS.md. Clients compare error texts, those of the kernel and of runc too, so neither
# may follow the language of the host; names of files are UTF-8 all the same. Where a libc does not know
# C.UTF-8, it takes C.
jvm() {
  unset LANGUAGE
  export LC_ALL=C.UTF-8
  # shellcheck disable=SC2086 # a list of options
  set -- $java_options "$@"
  if [ "${java_version:-0}" -ge 24 ]; then
    set -- --sun-misc-unsafe-memory-access=allow "$@"
  fi
  if [ -r "$home/loomshim.jsa" ] && [ "$java" = "$installed_java" ]; then
    set -- "-XX:SharedArchiveFile=$home/loomshim.jsa" "$@"
  fi
  if [ "$restore_signals" = unknown ]; then
    restore_signals='env --default-signal=INT,QUIT --block-signal=CHLD'
    if ! $restore_signals true 2> /dev/null; then restore_signals=; fi
  fi
  # shellcheck disable=SC2086 # empty, or a command that restores signals
  exec $restore_signals "$java" -XX:+IgnoreUnrecognizedVMOptions -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:CICompilerCount=1 \
    -Xss512k -Xms8m -Xmx192m -XX:ReservedCodeCacheSize=16m -XX:-UsePerfData -Xshare:auto \
    -XX:+UnlockDiagnosticVMOptions -XX:AsyncDeflationInterval=60000 -Djdk.pollerMode=1 \
    -Djdk.reflect.useNativeAccessorOnly=true \
    -Xmn6m -XX:SurvivorRatio=2 -XX:-ShrinkHeapInSteps -XX:MinHeapFreeRatio=20 -XX:MaxHeapFreeRatio=40 \
    -XX:-MaxFDLimit -XX:+DisplayVMOutputToStderr -Xlog:disable -Xlog:all=error:stderr \
    "-Djffi.boot.library.path=$home/native" "$@"
}

# ---- options on stdin ----

# decode_options: asks a JVM once what the bytes in `all` say and remembers the answer as `known`.
decode_options() {
  find_java
  directory=${known%/*}
  (
    umask 077
    mkdir -p -- "$directory" || exit
    set +f
    set -- "$run_dir"/options/*/*
    set -f
    if [ $# -ge $OPTIONS_FILES_MAX ]; then rm -f -- "$@"; fi
    bytes=
    for octal in $all; do bytes=$bytes\\$octal; done
    # shellcheck disable=SC2059 # octal escapes only
    if printf "$bytes" > "$directory/.$$.in" && (jvm -cp "$home/loomshim.jar" io.loomshim.daemon.StartOptions "$directory/.$$.in") \
        < /dev/null > "$directory/.$$.out"; then
      # as old as the question: a file that is changed while it is read counts as newer
      touch -r "$directory/.$$.in" -- "$directory/.$$.out"
      mv -f -- "$directory/.$$.out" "$known"
    fi
    rm -f -- "$directory/.$$.in" "$directory/.$$.out"
  ) > /dev/null 2>&1
}

# ---- what is inherited ----

# profile: sets `heir` from all that the kernel hands on to children and this process can see; two containerds
# that differ in any of it have daemons of their own. Remembers it for the containerd that runs now.
profile() {
  { IFS= read -r stat < /proc/self/stat; } 2> /dev/null
  # shellcheck disable=SC2086 # splits at blanks; ${17} is field 19
  set -- ${stat##*) }
  set -- "nice ${17-} priority ${38-} policy ${39-}"
  set +f
  sum=$(
    exec 2> /dev/null
    printf '%s\n' "$1" "${TTRPC_ADDRESS-}" "${SCHED_CORE-}"
    cat /proc/self/limits /proc/self/oom_score_adj /proc/self/cgroup /proc/self/timerslack_ns \
      /proc/self/personality /proc/self/coredump_filter /proc/self/loginuid /proc/self/attr/current
    sed -n '/^\(Umask\|Uid\|Gid\|Groups\|Cap...\|NoNewPrivs\|Seccomp.*\|Spec.*\|Cpus_allowed\|Mems_allowed\|THP_enabled\):/p' \
      /proc/self/status
    ls -Ldi /proc/self/ns/* /proc/self/root
    ionice
    setpriv --dump
  )
  set -f
  sum=$(printf '%s\n' "$sum" | sha256sum) || fail 'sha256sum failed'
  heir=${sum%"${sum#??????}"}
  case $limits in
    *\'*) return ;;
  esac
  (
    umask 077
    mkdir -p -- "$run_dir/heirs" || exit
    set +f
    for file in "$run_dir"/heirs/*; do
      if [ ! -d "/proc/${file##*/}" ]; then set -- "$@" "$file"; fi
    done
    shift
    if [ $# -gt 0 ]; then rm -f -- "$@"; fi
    if printf "told='%s'\nheir=%s\n" "$limits" "$heir" > "$seen.$$"; then
      mv -f -- "$seen.$$" "$seen"
    else
      rm -f -- "$seen.$$"
    fi
  ) > /dev/null 2>&1
}

# ---- the daemon ----

# cold: starts the daemon, or finds the one that somebody else has started meanwhile.
cold() {
  find_java
  tries=0
  while :; do
    if ! { command exec 9> "$run/lock"; } 2> /dev/null; then
      # it may have been removed with the daemon that had it, once or twice but not for ever
      tries=$((tries + 1))
      [ $tries -lt $LOCK_TRIES_MAX ] || fail "cannot write $run/lock"
      promise
      continue
    fi
    flock -w $LOCK_SECONDS_MAX 9 || fail "$run/lock is held for more than $LOCK_SECONDS_MAX s"
    # shellcheck disable=SC3013 # dash and busybox know -ef
    [ /proc/self/fd/9 -ef "$run/lock" ] && break
    promise
  done
  # a sweep of dead directories may have been quicker than the lock
  if [ ! -e "$lease" ]; then promise; fi
  if alive; then return; fi
  set +f
  set -- "$run/daemon" "$run"/removed/*
  for file in "$run"/*.sock; do
    name=${file##*/}
    name=${name%.sock}
    if ! lives "${name%%-*}" "${name#*-}"; then set -- "$@" "$file"; fi
  done
  set -f
  rm -f -- "$@"
  if [ -s "$run/daemon.log" ]; then mv -f -- "$run/daemon.log" "$run/daemon.log.1"; fi
  # The pipe of this substitution is the daemon's stdout: it writes one line when it listens and
  # closes it, and the end of the pipe without that line means that it died.
  answer=$( (launch) & )
  said=
  while IFS= read -r line; do
    case $line in
      [0-9]*' '[0-9]*' unix:///'*)
        read -r pid started socket <<END
$line
END
        return ;;
      error:*) fail "${line#error: }" ;;
      ?*) said=$line ;;
    esac
  done <<END
$answer
END
  [ -z "$said" ] || fail "the daemon answered: $said"
  fail "the daemon died while starting: $(tail -n 1 -- "$run/daemon.log" 2> /dev/null)"
}

# launch: becomes the daemon. Runs in a process of its own.
launch() {
  command exec 2>> "$run/daemon.log" < /dev/null 9>&- || refuse "cannot write $run/daemon.log"
  if [ -n "$shim_cgroup" ]; then join "$shim_cgroup"; fi
  { read -r score < "/proc/$PPID/oom_score_adj"; } || score=0
  if [ "$score" -lt 1000 ]; then score=$((score + 1)); fi
  if ! printf %s "$score" > /proc/self/oom_score_adj; then
    read -r inside outside count < /proc/self/uid_map
    if [ "$inside $outside $count" = '0 0 4294967295' ]; then
      refuse "failed to adjust OOM score for shim: cannot set $score"
    fi
  fi
  cd -- "$run" || refuse "cannot enter $run"
  set -- -namespace "$namespace" -address "$address" -run-dir "$run" -linger "$linger_seconds" -mode "$mode" \
    -threads "$threads" -runc-timeout "$runc_timeout_seconds" -stuck "$stuck_seconds"
  case $kill_exec_tree in
    true) set -- "$@" -kill-exec-tree ;;
    false) ;;
    *) refuse "kill_exec_tree=$kill_exec_tree in $config is neither true nor false" ;;
  esac
  if $debug; then set -- "$@" -debug; fi
  jvm "-XX:ErrorFile=$run/hs_err.log" -jar "$home/loomshim.jar" "$@"
}

refuse() {
  printf 'error: %s\n' "$1"
  exit 1
}

# join PATH: moves this process into the cgroup, in every hierarchy that has it.
join() {
  found=false
  while read -r _ mounted type _; do
    case $type in
      cgroup | cgroup2) ;;
      *) continue ;;
    esac
    [ -d "$mounted$1" ] || continue
    found=true
    printf 0 > "$mounted$1/cgroup.procs" || refuse "failed to join cgroup $1: cannot write $mounted$1/cgroup.procs"
  done < /proc/self/mounts
  $found || refuse "failed to load cgroup $1: no such cgroup"
}

# ---- protobuf ----

# varint NUMBER: appends it to `out`, as escapes for printf %b.
varint() {
  n=$1
  while [ "$n" -gt 127 ]; do
    octet $((n & 127 | 128))
    n=$((n >> 7))
  done
  octet "$n"
}

octet() {
  out=$out\\0$(($1 >> 6))$(($1 >> 3 & 7))$(($1 & 7))
}

# text TAG STRING: appends a field of plain ASCII text.
text() {
  octet "$1"
  varint ${#2}
  out=$out$2
}

# ---- delete ----

# recorded: sets how the daemon called runc for this container.
recorded() {
  binary=runc root=/run/containerd/runc/$namespace systemd=
  if [ -f loom.runc ]; then
    while IFS= read -r line; do
      case $line in
        binary=?*) binary=${line#*=} ;;
        root=?*) root=${line#*=} ;;
        systemd_cgroup=1) systemd=--systemd-cgroup ;;
      esac
    done < loom.runc
    return
  fi
  if [ -s runtime ]; then IFS= read -r binary < runtime || [ -n "$binary" ] || binary=runc; fi
  if [ -s options.json ]; then
    value=$(sed -n 's/.*"root" *: *"\([^"]*\)".*/\1/p' options.json)
    if [ -n "$value" ]; then root=$value/$namespace; fi
    if grep -q '"systemd_cgroup" *: *true' options.json; then systemd=--systemd-cgroup; fi
  fi
}

# mounted: whether something is mounted on rootfs, told by the mount ids of two open directories.
mounted() {
  [ -d rootfs ] || return 1
  { mount_id 8 && upper=$mount && mount_id 7 && [ "$upper" = "$mount" ]; } 8< rootfs 7< . && return 1
  return 0
}

mount_id() {
  mount=
  while read -r name value; do
    case $name in
      mnt_id:) mount=$value; break ;;
    esac
  done < "/proc/self/fdinfo/$1"
  [ -n "$mount" ]
}

unmount() {
  tries=0
  while mounted; do
    problem=$(umount -R -- rootfs 2>&1 || umount -- rootfs 2>&1) && problem=
    tries=$((tries + 1))
    if [ $tries -ge $UNMOUNT_TRIES_MAX ]; then
      printf 'cannot unmount %s/rootfs: %s\n' "$PWD" "$problem" >&2
      return
    fi
    if [ -n "$problem" ]; then sleep 0.05; fi
  done
}

# behind: tells a daemon that may still have this container that it is removed behind its back.
behind() {
  if [ -n "$run" ] && [ -d "$run/removed" ]; then { true > "$run/removed/$id"; } 2> /dev/null; fi
}

# remove: deletes a container that no daemon has deleted.
remove() {
  recorded
  if [ ${#binary} -gt $PATH_CHARS_MAX ]; then binary=runc; fi
  # the state directory of runc and crun is the container; nothing there, nothing to delete
  case ${binary##*/} in
    runc | crun) [ -e "$root/$id" ] || return 0 ;;
  esac
  set -- --root "$root"
  if [ -n "$here" ]; then set -- "$@" --log "$here/log.json" --log-format json; fi
  # shellcheck disable=SC2086 # empty or one word
  problem=$("$binary" "$@" $systemd delete --force "$id" 2>&1) ||
    printf 'failed to delete %s: %s\n' "$id" "$problem" >&2
}

# members: deletes the containers of this sandbox that came to its daemon without a start: containerd
# 2 marks their bundles with its name, and runs `delete` for none of them.
members() {
  set +f
  set -- ../*/sandbox
  set -f
  for file; do
    owner=
    { IFS= read -r owner < "$file"; } 2> /dev/null
    [ "$owner" = "$id" ] || continue
    # shellcheck disable=SC2030 # another container, for a moment
    (
      cd -- "${file%/sandbox}" || exit
      here=$PWD id=${PWD##*/}
      identifier "$id" || exit
      behind
      remove
      unmount
    )
  done
}

# forced: deletes a container that no daemon has deleted, and prints the reply.
# shellcheck disable=SC2031 # what members changes is its own
forced() {
  remove
  pid=0
  if [ -n "$here" ]; then
    members
    unmount
    if [ -s init.pid ]; then read -r pid < init.pid || [ -n "$pid" ] || pid=0; fi
    case $pid in
      '' | *[!0-9]*) pid=0 ;;
    esac
  fi
  if [ -n "$run" ]; then
    if [ -e "$run/leases/$id" ]; then rm -f -- "$run/leases/$id"; fi
    forget_socket
  fi
  now=$(date '+%s %N')
  nanos=${now#* }
  case $nanos in
    '' | *[!0-9]*) nanos=0 ;;
    *) nanos=$((1$nanos - 1000000000)) ;;
  esac
  answer "$pid" "${now% *}" "$nanos"
}

# forget_socket: removes the socket of a daemon that has died.
# shellcheck disable=SC2031 # what members changes is its own
forget_socket() {
  socket=
  if [ -n "$here" ] && [ -s address ]; then IFS= read -r socket < address || true; fi
  if [ ${#socket} -gt $PATH_CHARS_MAX ]; then return 0; fi
  name=${socket##*/}
  name=${name%.sock}
  case $name in
    *[!0-9-]* | -* | *- | *-*-*) return 0 ;;
    *-*) ;;
    *) return 0 ;;
  esac
  if [ -S "$run/$name.sock" ] && ! lives "${name%%-*}" "${name#*-}"; then rm -f -- "$run/$name.sock"; fi
}

# answer PID SECONDS NANOS: prints a DeleteResponse of a container killed by SIGKILL.
answer() {
  out=
  octet 8
  varint "$2"
  octet 16
  varint "$3"
  stamp=$out
  out=
  if [ "$1" -gt 0 ]; then
    octet 8
    varint "$1"
  fi
  octet 16
  varint 137
  octet 26
  varint $((${#stamp} / 5))
  printf %b "$out$stamp"
}

# ---- questions about the shim itself ----

# inspect ARG...: becomes the JVM that asks the running daemons.
inspect() {
  find_java
  jvm -cp "$home/loomshim.jar" io.loomshim.inspect.Main "$run_dir" "$@"
}

about() {
  find_java
  printf '%s:\n  Version:  %s\n  Revision: %s\n  Java version: %s\n\n' \
    "${0##*/}" "$version" "$revision" "$java_version"
}

# describe: prints a RuntimeInfo with the options it was asked about and the features of the runc that
# they name. Older ones of runc and crun know no features; then there are none in the answer.
describe() {
  LC_ALL=C
  options
  binary=${binary_name:-runc}
  command -v "$binary" > /dev/null || fail "no $binary found in PATH=${PATH-}"
  features=$("$binary" features 2> /dev/null) || features=
  kind=types.containerd.io/opencontainers/runtime-spec/1/features/Features
  out=
  text 10 "$version"
  text 18 "$revision"
  about=$out
  size=$((2 + ${#version} + 2 + ${#revision}))
  out=
  text 10 "$runtime"
  octet 18
  varint $size
  out=$out$about
  if [ -n "$all" ]; then
    # shellcheck disable=SC2086 # one word per byte
    set -- $all
    octet 26
    varint $#
    for octal; do out=$out\\0$octal; done
  fi
  if [ -z "$features" ]; then
    printf %b "$out"
    return
  fi
  any=$out
  out=
  text 10 "$kind"
  octet 18
  varint ${#features}
  head=$out
  # bytes of the Any: two for each tag and length of the type, one tag and the varint for the value
  out=
  varint ${#features}
  size=$((2 + ${#kind} + 1 + ${#out} / 5 + ${#features}))
  out=$any
  octet 34
  varint $size
  printf %b%s "$out$head" "$features"
}

