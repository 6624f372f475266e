# The command `check`: what is wrong with the settings, which of them count, and what else would keep containers from
# starting. Read by the launcher after cold.sh. It needs no JDK, and changes nothing; a file that it makes in run_dir,
# to see whether that can be done, it removes again.
# shellcheck shell=sh disable=SC2034,SC2154 # the variables are the launcher's

GLIBC_MIN=2.34         # posix_spawn_file_actions_addclosefrom_np
KERNEL_MIN=5.3         # pidfd_open(2)
ROOM_KIB_MIN=10240     # in run_dir: a daemon's log may have 1 MiB, and its predecessor's too
INODES_MIN=100
JVM_SECONDS_MAX=20     # that a JVM may take to tell its version
NEAR_MAX=3             # letters that a name may differ in from the one that is proposed
TOOLS='flock sha256sum od readlink sed tail tee touch mkdir mv rm cat date umount mount timeout'

# check_all ARG...: prints the findings, and ends with 1 when there is a mistake or something is missing.
check_all() {
  case $#:${1-} in
    0:) ;;
    1:-h | 1:-help | 1:--help) usage; exit ;;
    *) misused "check takes no arguments" ;;
  esac
  # shellcheck source=src/main/launcher/settings.sh
  . "$home/settings.sh"
  read_settings "$config"
  if $auto_upgrade && ! $take_over; then
    notes="$notes$line_auto_upgrade auto_upgrade has no effect without take_over=true
"
  fi
  missing=0
  # what java is taken, and whether its options are taken, is found out by trying
  set_java=$java set_options=$java_options
  java_found=false java_told=''
  if seek_java; then
    java_found=true
    try_java
  fi
  show_mistakes
  show_settings
  printf '\nwhat containers need:\n'
  if [ "$(id -u)" != 0 ]; then found note user 'only root sees all of what follows'; fi
  check_java
  check_runtime
  check_containerd
  check_run_dir
  check_journal
  check_cgroups
  check_system
  conclude
}

# found WORD WHAT TEXT: prints a finding; the WORD is ok, note or FAIL.
found() {
  if [ "$1" = FAIL ]; then missing=$((missing + 1)); fi
  printf '  %-4s  %-10s  %s\n' "$1" "$2" "$3"
}

# ---- the settings ----

show_mistakes() {
  if [ -e "$config" ]; then
    printf 'settings: %s\n' "$config"
  else
    printf 'settings: %s does not exist, so all have their defaults\n' "$config"
  fi
  count=0
  IFS='
'
  for mistake in $mistakes; do
    count=$((count + 1))
    placed "$mistake"
    hint=
    case $mistake in
      *' there is no setting '*) hint=$(nearest "${mistake##* there is no setting }") ;;
    esac
    plain "  $text${hint:+; is $hint meant?}"
  done
  for note in $notes; do
    placed "$note"
    plain "  note: $text"
  done
  IFS=$blanks
}

# plain TEXT: prints it as a line without what would control a terminal.
plain() {
  printf '%s\n' "$1" | tr '\001-\010\013-\037\177' '?'
}

# nearest NAME: prints the setting with the fewest letters to change, if those are few.
nearest() {
  # shellcheck disable=SC2086 # a word each
  IFS=$blanks
  for name in $SETTINGS; do printf '%s\n' "$name"; done | awk -v given="$1" -v most=$NEAR_MAX '
    function distance(a, b,   i, j, n, m, d, x) {
      n = length(a); m = length(b)
      for (i = 0; i <= n; i++) d[i, 0] = i
      for (j = 0; j <= m; j++) d[0, j] = j
      for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) {
        x = d[i - 1, j - 1] + (substr(a, i, 1) != substr(b, j, 1))
        if (d[i - 1, j] + 1 < x) x = d[i - 1, j] + 1
        if (d[i, j - 1] + 1 < x) x = d[i, j - 1] + 1
        d[i, j] = x
      }
      return d[n, m]
    }
    BEGIN { given = tolower(given); gsub(/[^a-z0-9]+/, "_", given); best = most + 1 }
    {
      far = distance(given, $0)
      if (length(given) > 2 && (index($0, given) == 1 || index(given, $0) == 1) && far > 1) far = 1
      if (far < best && far < length(given)) { best = far; name = $0 }
    }
    END { if (name != "") print name }' 2> /dev/null
}

show_settings() {
  printf '\nthey count as:\n'
  java_line=$line_java options_line=$line_java_options
  for name in $SETTINGS; do
    setting "$name"
    eval "value=\$$name at=\$line_$name"
    case $name in
      java_options) value=$set_options ;;
      java) value=$set_java ;;
    esac
    if [ "$at" -gt 0 ]; then
      from="$config:$at"
    else
      from=default
    fi
    case $name in
      java)
        if ! $java_found; then
          value='none'
        elif [ "$java" != "$set_java" ]; then
          value=$java
          if [ "$java" = "$installed_java" ]; then from='found at installation'; else from='found now'; fi
        fi ;;
      java_options)
        if $java_found && [ "$java_options" != "$set_options" ]; then value='' from='left out'; fi
        value=${value:-none} ;;
    esac
    plain "$(printf '  %-20s  %-24s  %s' "$name" "$value" "$from")"
  done
}

# ---- java ----

# try_java: starts it as a daemon would be, and leaves out what it does not start with.
try_java() {
  if jvm_answers; then return; fi
  if archived; then
    archive=false no_archive=$java_told
    if jvm_answers; then return; fi
    archive=true no_archive=
  fi
  if [ -n "$java_options" ]; then
    mistaken java_options "java_options=$java_options: no JVM starts with them: ${java_told:-it said nothing}; daemons start without"
    java_options=
    if jvm_answers; then return; fi
  fi
  java_broken=true
}

java_broken=false no_archive=

jvm_answers() {
  java_told=$( (
    # shellcheck disable=SC2030 # for this process alone
    restore_signals="timeout $JVM_SECONDS_MAX"
    jvm -version
  ) 2>&1 < /dev/null) && return 0
  java_told=$(printf '%s\n' "$java_told" |
    sed '/^Error: Could not create the Java\|^Error: A fatal exception has occurred/d' | tail -n 1)
  return 1
}

check_java() {
  if ! $java_found; then
    found FAIL java "$why"
  elif $java_broken; then
    found FAIL java "$java does not start: ${java_told:-it said nothing}"
  else
    found ok java "$java, Java $java_version"
    if [ ! -x "$installed_java" ]; then
      found note java "the one of the installation, $installed_java, is gone: run install.sh again"
    elif [ "$java" != "$installed_java" ]; then
      found note java 'the start-up archive fits the java of the installation only: a daemon starts 100 ms slower'
    elif [ -n "$no_archive" ]; then
      found note java "the start-up archive cannot be used, a daemon starts 100 ms slower: $no_archive"
    elif [ ! -r "$home/loomshim.jsa" ]; then
      found note java 'there is no start-up archive: a daemon starts 100 ms slower; install.sh makes one'
    fi
  fi
  for file in loomshim.jar native/libjffi-1.2.so; do
    if [ ! -r "$home/$file" ]; then found FAIL files "$home/$file is missing: run install.sh again"; fi
  done
}

# ---- runc, and the containerd that runs ----

check_runtime() {
  program=$(command -v runc) || program=
  if [ -n "$program" ]; then
    version_told=$("$program" --version 2>&1 < /dev/null | head -n 1)
    case $version_told in
      runc\ version\ ?* | crun\ version\ ?*) found ok runc "$program, $version_told" ;;
      *) found note runc "$program says of its version: ${version_told:-nothing}" ;;
    esac
  elif program=$(command -v crun); then
    found ok runc "there is none in PATH=${PATH-}, so $program runs containers that name no other"
  else
    found FAIL runc "there is none in PATH=${PATH-}, and no crun: install one (Debian: runc)"
  fi
}

# check_containerd: whether each containerd finds this program and runc in its own PATH.
check_containerd() {
  running=0
  set +f
  set -- /proc/[0-9]*
  set -f
  for process; do
    comm=
    { IFS= read -r comm < "$process/comm"; } 2> /dev/null
    [ "$comm" = containerd ] || continue
    running=$((running + 1))
    theirs=$({ tr '\0' '\n' < "$process/environ" | sed -n 's/^PATH=//p'; } 2> /dev/null)
    if [ -z "$theirs" ]; then
      found note containerd "the PATH of process ${process#/proc/} cannot be read"
      continue
    fi
    lacks=
    for program in containerd-shim-loom-v1 runc; do
      # shellcheck disable=SC2030 # for this question alone
      (PATH=$theirs && { command -v "$program" || [ "$program" = runc ] && command -v crun; } > /dev/null) ||
        lacks="$lacks $program"
    done
    if [ -z "$lacks" ]; then
      found ok containerd "process ${process#/proc/} finds this program and runc"
    else
      found note containerd "process ${process#/proc/} does not find in its PATH=$theirs:$lacks"
    fi
  done
  if [ $running -eq 0 ]; then found note containerd 'none runs'; fi
}

# ---- run_dir ----

check_run_dir() {
  directory=$run_dir
  while [ ! -e "$directory" ] && [ ! -L "$directory" ]; do
    directory=${directory%/*}
    directory=${directory:-/}
  done
  if [ ! -d "$directory" ]; then
    found FAIL run_dir "$directory is no directory, so run_dir=$run_dir cannot be: name another in $config"
    return
  fi
  if [ "$(id -u)" = 0 ]; then
    probe=$directory/.check-$$
    why=$(printf '%4096s' '' | tee -- "$probe" 2>&1 > /dev/null)
    rm -f -- "$probe"
    if [ -n "$why" ]; then
      found FAIL run_dir "cannot write into $directory: ${why##*: }; $(below)"
      return
    fi
  fi
  free=$(df -Pk -- "$directory" 2> /dev/null | sed -n '2s/.* \([0-9][0-9]*\)  *[0-9-]*%.*/\1/p')
  inodes=$(df -Pi -- "$directory" 2> /dev/null | sed -n '2s/.* \([0-9][0-9]*\)  *[0-9-]*%.*/\1/p')
  if [ "${free:-$ROOM_KIB_MIN}" -lt $ROOM_KIB_MIN ] ||
      { [ "${inodes:-0}" -gt 0 ] && [ "$inodes" -lt $INODES_MIN ]; }; then
    found FAIL run_dir "in $directory $free KiB and ${inodes:-?} files are left; $(below)"
    return
  fi
  kind=$(stat -f -c %T -- "$directory" 2> /dev/null)
  found ok run_dir "$run_dir, $((${free:-0} / 1024)) MiB free"
  case $kind in
    tmpfs | ramfs | '') ;;
    *) found note run_dir "it is on $kind, which a boot does not empty: what an earlier boot has left stays there" ;;
  esac
}

# check_journal: whether there is the journal that the setting `log` names.
check_journal() {
  to_journal || return 0
  if [ -S "$journal" ]; then
    found ok log "the journal is at $journal"
  else
    found note log "log=$log, and no journal is at $journal: lines go into containerd's log instead"
  fi
}

# ---- the system ----

check_cgroups() {
  version2='' controllers=''
  while read -r _ mounted type options _; do
    case $type in
      cgroup2)
        version2=$mounted
        { read -r more < "$mounted/cgroup.controllers"; } 2> /dev/null || more=
        controllers="$controllers $more " ;;
      cgroup) controllers="$controllers $(printf %s "$options" | tr , ' ') " ;;
    esac
  done < /proc/self/mounts
  if [ -z "$controllers" ]; then
    found FAIL cgroups 'no cgroup file system is mounted: runc starts no container without'
    return
  fi
  lacks=
  for controller in memory pids cpu; do
    case $controllers in
      *" $controller "*) ;;
      *) lacks="$lacks $controller" ;;
    esac
  done
  which='version 1'
  if [ -n "$version2" ]; then which='version 2'; fi
  case $controllers in
    *' rw '*) if [ -n "$version2" ]; then which='version 1, with version 2 beside it'; fi ;;
  esac
  if [ -z "$lacks" ]; then
    found ok cgroups "$which"
  else
    found note cgroups "$which, without$lacks: limits of these have no effect or are refused by runc"
  fi
}

# at_least VERSION MIN: whether the version, two numbers, is not older.
at_least() {
  major=${1%%.*} minor=${1#*.}
  minor=${minor%%[!0-9]*}
  [ "$major" -gt "${2%.*}" ] || { [ "$major" -eq "${2%.*}" ] && [ "${minor:-0}" -ge "${2#*.}" ]; }
}

check_system() {
  release_told=$(uname -r)
  if at_least "$release_told" $KERNEL_MIN; then
    found ok kernel "$release_told"
  else
    found FAIL kernel "$release_told is older than $KERNEL_MIN"
  fi
  libc=$(getconf GNU_LIBC_VERSION 2> /dev/null) || libc=
  case $libc in
    glibc\ *)
      if at_least "${libc#glibc }" $GLIBC_MIN; then
        found ok glibc "${libc#glibc }"
      else
        found FAIL glibc "${libc#glibc } is older than $GLIBC_MIN"
      fi ;;
    *) found note glibc "its version cannot be told; $GLIBC_MIN or newer is needed" ;;
  esac
  lacks=
  for tool in $TOOLS; do
    command -v "$tool" > /dev/null || lacks="$lacks $tool"
  done
  if [ -n "$lacks" ]; then found FAIL tools "missing in PATH:$lacks (Debian: coreutils, util-linux, sed)"; fi
}

conclude() {
  case $count:$missing in
    0:0) printf '\nall is as it should be\n' ;;
    *:0) printf '\nmistakes in the settings: %s; containers start all the same\n' "$count" ;;
    *) printf '\nmistakes in the settings: %s; what keeps containers from starting: %s\n' "$count" "$missing" ;;
  esac
  [ "$count$missing" = 00 ]
  exit
}
