# The second half of containerd-shim-loom-v1, read only by the cold paths, which start other programs anyway: finding
# a JDK, starting the daemon, deleting a container without it, `inspect`, `upgrade`, `-v`, `-info`.
# shellcheck shell=sh disable=SC2031,SC2034,SC2154 # the variables are the launcher's

OPTIONS_FILES_MAX=512  # remembered answers about options on stdin; all are dropped beyond it
LOCK_TRIES_MAX=5       # to open a lock file that a daemon may just have removed
SUCCESSION_TRIES_MAX=400 # of 50 ms each, for a daemon to take over from one that was killed
LOCK_SECONDS_MAX=100   # containerd gives a shim 100 s to become reachable
UNMOUNT_TRIES_MAX=50   # of 50 ms each: within the 5 s that containerd gives `delete`
JAVA_MIN=21
VERSION_SECONDS_MAX=10 # that a java without a file `release` may take to tell its version
MISTAKES_MAX=20        # in the settings that a daemon is told of
JOURNAL=/run/systemd/journal/socket # systemd-journald.service(8)
PATH_CHARS_MAX=4096    # the kernel's limit; a shell needs minutes to cut a text of 400 KB at its last slash

# usage: what people use first.
usage() {
  cat << END
Usage of ${0##*/}:
  ${0##*/} check      says what would keep containers from starting: mistakes in the
                                     settings, a missing Java or runc, no room; shows the settings
  ${0##*/} inspect [--json | --prometheus] [--namespace NS | --run DIR | PID]
                                     shows what the running daemons do, and what hangs
  ${0##*/} inspect --ended [--json]
                                     shows what killed daemons had
  ${0##*/} inspect --traces FILE
                                     prints a recording of JFR as spans of OpenTelemetry
  ${0##*/} upgrade [--namespace NS]
                                     has the running daemons hand over to this build and these settings
  ${0##*/} --version  says which version this is
  ${0##*/} --help     says this

Settings are in ${config:-loomshim.conf}. A container with this runtime:
  ctr run --rm --runtime $runtime docker.io/library/busybox:latest hello echo hello

containerd itself starts this program with one of these, and flags in Go's syntax:
  start, delete    with -namespace NS -id ID -address SOCKET; also -bundle DIR, -debug, -publish-binary FILE,
                   -socket PATH, -debug-socket PATH
  -v, -info        the version for programs; what the runtime can do, as protobuf
END
}

# misused TEXT: refuses a wrong command line.
misused() {
  printf '%s\n' "$1" >&2
  usage >&2
  exit 2
}

# for_people [COMMAND [ARG...]]: does what people ask for, and ends.
for_people() {
  command=${1-}
  if [ $# -gt 0 ]; then shift; fi
  case $command in
    inspect) inspect "$@" ;;
    check) check "$@" ;;
    upgrade) upgrade "$@" ;;
    version | -version* | --version*) print_version ;;
    help | -h* | --h*) usage ;;
    '') misused 'a command is missing' ;;
    *) misused "there is no command $command" ;;
  esac
  exit
}

# unwritten FILE TEXT: tries again with a program that tells the reason, and ends if that fails too.
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

# usable FILE: whether it is the java of a JDK that is new enough; sets its version as `version_read`, or `why` not.
usable() {
  why='does not exist'
  [ -e "$1" ] || return 1
  why='is no program'
  [ -f "$1" ] && [ -x "$1" ] || return 1
  if ! release "${1%/bin/java}"; then
    real=$(readlink -f -- "$1")
    if ! release "${real%/bin/java}"; then
      # a script in the place of java
      version_read=$(timeout $VERSION_SECONDS_MAX "$1" -version 2>&1 < /dev/null |
        sed -n 's/.* version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1)
    fi
  fi
  why='is not the java of a JDK'
  [ -n "$version_read" ] || return 1
  why="is of Java $version_read"
  [ "$version_read" -ge $JAVA_MIN ]
}

# seek_java: sets `java` and `java_version`; sets `why` and fails when there is none. A setting `java` that cannot be
# used is a mistake like any other: the JDK of the installation is taken.
seek_java() {
  unusable_java='' installed_version=${installed_version-$java_version}
  if [ -n "$java" ]; then
    if usable "$java"; then
      java_version=$version_read
      return 0
    fi
    unusable_java="java=$java $why"
    mistaken java "$unusable_java, and Java $JAVA_MIN or newer is needed; taken instead: what was found at installation"
  fi
  java=$installed_java
  if [ -x "$java" ]; then return 0; fi
  best=0
  onpath=$(readlink -f -- "$(command -v java)" 2>/dev/null)
  set +f
  for candidate in "${JAVA_HOME-}" /usr/lib/jvm/* "${onpath%/bin/java}"; do
    if release "$candidate" && [ "$version_read" -ge $JAVA_MIN ] && [ "$version_read" -gt "$best" ]; then
      best=$version_read java=$candidate/bin/java
    fi
  done
  set -f
  java_version=$best
  if [ "$best" -ge $JAVA_MIN ]; then return 0; fi
  why="no JDK $JAVA_MIN or newer found: "
  if [ -n "$unusable_java" ]; then why="$why$unusable_java; "; fi
  why="${why}the one of the installation, $installed_java, is gone; there is none in JAVA_HOME, /usr/lib/jvm and PATH."
  why="$why Install one (Debian 13: openjdk-21-jre-headless), or the package of loomshim, which has its own,"
  why="$why or set java=/DIR/bin/java in $config"
  return 1
}

# find_java: the same, and ends when there is none.
find_java() {
  seek_java || fail "$why"
}

# mistaken NAME TEXT: the value of a setting has turned out to be of no use.
mistaken() {
  eval "at=\$line_$1"
  mistakes="$mistakes$at $2
"
}

# placed MISTAKE: sets `text`, which tells where it is.
placed() {
  case $1 in
    '0 '*) text="$config: ${1#* }" ;;
    *) text="$config:${1%% *}: ${1#* }" ;;
  esac
}

# tell_mistakes: a daemon that runs already has not been told of them.
tell_mistakes() {
  IFS='
'
  for mistake in $news; do
    placed "$mistake"
    warn 'mistake in the settings' "$text"
  done
  IFS=$blanks
}

# warn MESSAGE REASON: a line in the daemon's log.
warn() {
  printf 'time="%s" level=warning msg="%s" runtime=%s error="%s"\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$runtime" \
    "$(printf %s "$2" | sed 's/[\\"]/\\&/g')" >> "$run/daemon.log" 2> /dev/null
}

# unusable TEXT: ends for want of room or rights where daemons and starts meet.
unusable() {
  fail "$1; $(below)"
}

below() {
  printf 'run_dir=%s (%s) must have room, and root must be able to write there: ' "$run_dir" "$config"
  printf 'make room, or name another directory in that file'
}

# to_journal: whether the setting `log` names a journal, whose socket is then `journal`.
to_journal() {
  case $log in
    journal) journal=$JOURNAL ;;
    journal:*) journal=${log#journal:} ;;
    *) return 1 ;;
  esac
}

# jvm ARG...: becomes the JVM; the caller has arranged its file descriptors. Why these options and not
# others: docs/decisions/0030-start-up.md. Clients compare error texts, those of the kernel and of runc too, so neither
# may follow the language of the host; names of files are UTF-8 all the same. Where a libc does not know
# C.UTF-8, it takes C.
jvm() {
  jvm_words become "$@"
}

become() {
  # shellcheck disable=SC2086 # empty, or a command that restores signals
  exec $restore_signals "$@"
}

# jvm_words COMMAND ARG...: runs COMMAND with the command line of that JVM as its arguments.
jvm_words() {
  with=$1
  shift
  unset LANGUAGE
  export LC_ALL=C.UTF-8
  # shellcheck disable=SC2086 # a list of options
  set -- $java_options "$@"
  if [ "${java_version:-0}" -ge 24 ]; then
    set -- --sun-misc-unsafe-memory-access=allow -Xlog:aot*=off:stderr "$@"
  fi
  if archived; then set -- "-XX:SharedArchiveFile=$home/loomshim.jsa" "$@"; fi
  if [ "$restore_signals" = unknown ]; then
    restore_signals='env --default-signal=INT,QUIT --block-signal=CHLD'
    if ! $restore_signals true 2> /dev/null; then restore_signals=; fi
  fi
  "$with" "$java" -XX:+IgnoreUnrecognizedVMOptions -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:CICompilerCount=1 \
    -Xss512k -Xms10m -Xmx192m -XX:ReservedCodeCacheSize=16m -XX:-UsePerfData \
    -XX:+UnlockDiagnosticVMOptions -XX:AsyncDeflationInterval=60000 -Djdk.pollerMode=1 \
    -Djdk.reflect.useNativeAccessorOnly=true \
    -Xmn6m -XX:SurvivorRatio=2 -XX:-ShrinkHeapInSteps -XX:MinHeapFreeRatio=20 -XX:MaxHeapFreeRatio=40 \
    -XX:-MaxFDLimit -XX:+DisplayVMOutputToStderr -Xlog:disable -Xlog:all=error:stderr -Xlog:cds*=off:stderr \
    "-Djffi.boot.library.path=$home/native" "$@"
}

archive=true # whether a JVM may have the start-up archive

# archived: whether a JVM is given the start-up archive.
archived() {
  case " $java_options" in
    # a cache takes the place of the archive: no JVM starts with both, nor with -Xshare:auto beside a cache
    *' -XX:AOT'*) return 1 ;;
  esac
  $archive && [ -r "$home/loomshim.jsa" ] && [ "$java" = "$installed_java" ] && archive_fits
}

# archive_fits: whether java is still the one that the archive was made with: they have the same time. With another one
# the JVM would take no archive, not even its own.
archive_fits() {
  modules=${java%/bin/java}/lib/modules
  # shellcheck disable=SC3013 # dash and busybox know -nt and -ot
  ! [ "$home/loomshim.jsa" -nt "$modules" ] && ! [ "$home/loomshim.jsa" -ot "$modules" ]
}

# ---- options on stdin ----

# decode_options: asks a JVM once what the bytes in `all` say and remembers the answer as `known`.
decode_options() {
  find_java
  daemons_options=$java_options java_options=
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
      # with the time of the input: a file that is changed while it is read counts as newer
      touch -r "$directory/.$$.in" -- "$directory/.$$.out"
      mv -f -- "$directory/.$$.out" "$known"
    fi
    rm -f -- "$directory/.$$.in" "$directory/.$$.out"
  ) > /dev/null 2>&1
  java_options=$daemons_options
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

# start_daemon: starts the daemon, or finds the one that another launcher has started meanwhile.
start_daemon() {
  find_java
  tries=0
  while :; do
    if ! { command exec 9> "$run/lock"; } 2> /dev/null; then
      # it may have been removed with the daemon that had it, once or twice but not for ever
      tries=$((tries + 1))
      [ $tries -lt $LOCK_TRIES_MAX ] || unusable "cannot write $run/lock"
      take_lease
      continue
    fi
    flock -w $LOCK_SECONDS_MAX 9 || fail "$run/lock is held for more than $LOCK_SECONDS_MAX s"
    # shellcheck disable=SC3013 # dash and busybox know -ef
    [ /proc/self/fd/9 -ef "$run/lock" ] && break
    take_lease
  done
  # a sweep of dead directories may have been quicker than the lock
  if [ ! -e "$lease" ]; then take_lease; fi
  if alive || succeeded; then return; fi
  set +f
  set -- "$run/daemon" "$run"/removed/*
  for file in "$run"/*.sock; do
    name=${file##*/}
    name=${name%.sock}
    if ! lives "${name%%-*}" "${name#*-}"; then set -- "$@" "$file"; fi
  done
  set -f
  # nothing in a directory that is new
  if [ $# -gt 2 ] || [ -e "$1" ] || [ -e "$2" ]; then rm -f -- "$@"; fi
  if [ -s "$run/daemon.log" ]; then mv -f -- "$run/daemon.log" "$run/daemon.log.1"; fi
  if attempt; then return; fi
  if archived; then
    # the JVM ends if the objects in it do not fit into the old generation that the heap begins with
    archive=false
    if attempt; then
      warn 'no use of the start-up archive' "$died"
      return
    fi
    archive=true
  fi
  # what the user has set for the JVM may be what it does not bear; a container is to start all the same
  if [ -n "$java_options" ]; then
    mistaken java_options "java_options=$java_options was left out, because $died"
    java_options=
    if attempt; then return; fi
  fi
  if [ "$java" != "$installed_java" ] && [ "$line_java" -gt 0 ] && [ -x "$installed_java" ]; then
    mistaken java "java=$java was not taken, because $died; taken instead: $installed_java"
    java=$installed_java java_version=$installed_version
    if attempt; then return; fi
  fi
  fail "$died (java: $java; log: $run/daemon.log)"
}

# attempt: starts the daemon; sets `died` and fails when it does not come to say anything. What it says is final.
attempt() {
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
        return 0 ;;
      error:*"$run_dir/"*': '*) unusable "${line#error: }" ;;
      error:*) fail "${line#error: }" ;;
      ?*) said=$line ;;
    esac
  done <<END
$answer
END
  if [ -n "$said" ]; then
    died="the daemon answered: $said"
  else
    # the JVM's last two lines say nothing
    said=$(sed '/^Error: Could not create the Java\|^Error: A fatal exception has occurred/d' "$run/daemon.log" 2> /dev/null |
      tail -n 1)
    died="the daemon died while starting: ${said:-it said nothing}"
  fi
  return 1
}

# succeeded: waits for the daemon that takes over from one that was killed; fails when there will be none.
succeeded() {
  tries=0
  while [ $tries -lt $SUCCESSION_TRIES_MAX ] && { read -r holder began < "$run/holder"; } 2> /dev/null &&
      lives "$holder" "$began"; do
    if alive; then return 0; fi
    tries=$((tries + 1))
    sleep 0.05
  done
  alive
}

# launch: becomes the daemon. Runs in a process of its own.
launch() {
  if ! command exec 2>> "$run/daemon.log" < /dev/null 9>&-; then
    why=$({ true >> "$run/daemon.log"; } 2>&1)
    refuse "cannot write $run/daemon.log: ${why##*: }"
  fi
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
  with_settings daemon_words become -namespace "$namespace" -address "$address" -run-dir "$run" -mode "$mode"
}

# with_settings COMMAND ARG...: runs it with what a daemon is told of the settings behind the arguments.
with_settings() {
  set -- "$@" -build "$build" -linger "$linger_seconds" -threads "$threads" -runc-timeout "$runc_timeout_seconds" \
    -stuck "$stuck_seconds"
  if $kill_exec_tree; then set -- "$@" -kill-exec-tree; fi
  $native_runc || set -- "$@" -no-native-runc
  $early_cgroup_wait || set -- "$@" -no-early-cgroup-wait
  $spawn_apart || set -- "$@" -no-spawn-apart
  if [ "$sealed_runtime" != auto ]; then set -- "$@" -sealed-runtime "$sealed_runtime"; fi
  if $take_over; then set -- "$@" -take-over; fi
  if to_journal; then set -- "$@" -journal "$journal"; fi
  if $debug; then set -- "$@" -debug; fi
  count=0
  IFS='
'
  for mistake in $mistakes; do
    count=$((count + 1))
    if [ $count -gt $MISTAKES_MAX ]; then break; fi
    placed "$mistake"
    set -- "$@" -mistake "$text"
  done
  IFS=$blanks
  "$@"
}

# daemon_words COMMAND ARG...: runs COMMAND with the command line of a daemon that is told these arguments.
daemon_words() {
  own_command=$1
  shift
  jvm_words "$own_command" "-XX:ErrorFile=$run/hs_err.log" -jar "$home/loomshim.jar" "$@"
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

# recorded: sets `binary`, `root` and `systemd` as the daemon used them for this container.
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

# mark_removed: leaves a mark for a daemon that may still have this container: `delete` removes it here.
mark_removed() {
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
      mark_removed
      remove
      unmount
    )
  done
}

# delete_by_force: deletes a container that no daemon has deleted, and prints the reply.
# shellcheck disable=SC2031 # what members changes is its own
delete_by_force() {
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
  # a daemon that has taken over listens where the one before did
  dead=$socket
  if (alive && [ "$socket" = "$dead" ]); then return 0; fi
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

# ---- the shim itself: inspect, upgrade, -v, -info ----

# note_mistakes: for those who ask for something else.
note_mistakes() {
  if [ -n "$mistakes" ]; then
    printf 'note: there are mistakes in %s; %s check names them\n' "$config" "${0##*/}" >&2
  fi
}

# inspect ARG...: becomes the JVM that asks the running daemons.
inspect() {
  case ${1-} in
    -h | -help | --help) usage; exit ;;
  esac
  note_mistakes
  find_java
  # they are meant for the daemons
  java_options=
  jvm -cp "$home/loomshim.jar" io.loomshim.cli.Main "$run_dir" "$@"
}

# upgrade [--namespace NS]: becomes the JVM that has the running daemons hand over to this build with these settings.
# What is a daemon's own stands between two @ in the command line that it is given.
upgrade() {
  only=
  case $#:${1-} in
    0:) ;;
    1:-h | 1:-help | 1:--help) usage; exit ;;
    2:--namespace)
      identifier "$2" || misused "$2 is not a valid name of a namespace"
      only=$2 ;;
    *) misused 'upgrade takes --namespace NS, or no arguments' ;;
  esac
  note_mistakes
  find_java
  debug=false run=@run-dir@
  with_settings daemon_words ask_to_upgrade -namespace @namespace@ -address @address@ -run-dir @run-dir@ -mode @mode@
}

# ask_to_upgrade WORD...: the words are the next daemon's command line.
ask_to_upgrade() {
  # they are meant for the daemons
  java_options=
  jvm -cp "$home/loomshim.jar" io.loomshim.cli.Upgrade "$run_dir" "$only" "$build" "$@"
}

check() {
  # shellcheck source=src/main/launcher/check.sh
  . "$home/check.sh"
  check_all "$@"
}

print_version() {
  seek_java || java_version='none found'
  printf '%s:\n  Version:  %s\n  Revision: %s\n  Java version: %s\n\n' \
    "${0##*/}" "$version" "$revision" "$java_version"
}

# print_info: prints a RuntimeInfo with the options it was asked about and the features of the runc that
# they name. Older ones of runc and crun know no features; then there are none in the answer.
print_info() {
  LC_ALL=C
  options
  binary=${binary_name:-runc}
  # where there is crun alone, containers get that too
  if [ -z "$binary_name" ] && ! command -v runc > /dev/null; then binary=crun; fi
  command -v "$binary" > /dev/null || fail "no ${binary_name:-runc or crun} found in PATH=${PATH-}"
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

