#!/bin/sh
# Installs containerd-shim-loom-v1 from a distribution, or removes it. The distribution is target/loomshim
# of this repository, or the directory that this file is in, when that is an unpacked tarball or the Debian
# package's. Needs no network unless the distribution has to be built first.
#
# PREFIX/lib/loomshim has a directory for each build, which is never changed once it is complete, and the link
# `current`: daemons of an earlier build go on with the files that they were started from.
set -euf

LAUNCHER_SECONDS_MAX=10  # how long a launcher of the earlier build may still run before its files stay
END_SECONDS_MAX=10       # of a daemon, after SIGTERM
HOLDER=loomshim-holder    # in the command line of the process that starts a daemon's successor (take_over)
LEASE_MINUTES_MAX=1      # a container that was promised to a daemon longer ago will never come

usage() {
  cat <<'END'
Usage: install.sh [--prefix DIR] [--java FILE] [--dist DIR] [--no-archive]
       install.sh --clean [--prefix DIR]
       install.sh --uninstall [--prefix DIR] [--drain | --force] [--purge]

  --prefix DIR   where to install: DIR/bin, DIR/lib/loomshim, DIR/etc (default /usr/local)
  --java FILE    the java of a JDK 21 or newer (default: the one that the distribution brings along,
                 else JAVA_HOME, then the newest in /usr/lib/jvm and PATH; in this repository, on a
                 Debian or Ubuntu without one: Debian's, fetched or installed)
  --dist DIR     the distribution to install
  --no-archive   make no start-up archive
  --package      for the Debian package: link files to those of the distribution, and leave to the
                 package manager what it has put into DIR/bin and DIR/etc
  --clean        remove earlier builds that serve no container any more
  --uninstall    end idle daemons and remove what was installed; refused while there are containers
  --drain        with --uninstall: wait until there are no containers
  --force        with --uninstall: end the daemons of containers, which containerd then removes
  --purge        with --uninstall: also remove the configuration
END
}

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

# quote TEXT: as one word of sh.
quote() {
  printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

# release HOME: prints the major version of a JDK.
release() {
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9]*\).*/\1/p' "$1/release"
}

# find_java: sets `java` and `java_version`; none for a distribution that brings its own along.
find_java() {
  if [ -z "$java" ] && [ -x "$dist/lib/jre/bin/java" ]; then
    java_version=$(release "$dist/lib/jre")
    return
  fi
  if [ -n "$java" ]; then
    java_version=$(release "${java%/bin/java}")
    if [ ! -x "$java" ]; then fail "--java $java: there is no such program; name the java of a JDK 21 or newer"; fi
    if [ "${java_version:-0}" -lt 21 ]; then
      fail "--java $java is ${java_version:+of Java $java_version and }not DIR/bin/java of a JDK 21 or newer; name such a one"
    fi
    return
  fi
  newest java || fetch || fail "no JDK 21 or newer found in JAVA_HOME, /usr/lib/jvm and PATH; $(advice)"
}

# newest PROGRAM: sets `java` and `java_version` to JAVA_HOME's, else to the newest JDK's that has the program.
newest() {
  java='' java_version=0
  onpath=$(readlink -f -- "$(command -v java)" 2> /dev/null) || onpath=
  set +f
  set -- "$1" "${JAVA_HOME-}" /usr/lib/jvm/* "${onpath%/bin/java}" "$base"/jdk/jdk-*/usr/lib/jvm/*
  set -f
  program=$1
  shift
  for candidate; do
    found=$(release "$candidate")
    if [ "${found:-0}" -ge 21 ] && [ "$found" -gt "$java_version" ] && [ -x "$candidate/bin/$program" ]; then
      java=$candidate/bin/java java_version=$found
    fi
    # the user's own choice wins over a newer one
    if [ -n "$java" ] && [ "$candidate" = "${JAVA_HOME-}" ]; then break; fi
  done
  [ -n "$java" ]
}

# fetch: installs the JDK of this Debian or Ubuntu, or fetches Debian 13's with the libc that it needs below the
# installation. Only for a build from source, which cannot go on without one.
fetch() {
  [ -f "$here/../integration/lib.sh" ] && [ "$(id -u)" = 0 ] || return 1
  if ! command -v apt-get > /dev/null || ! command -v bash > /dev/null; then return 1; fi
  printf 'no JDK 21 or newer found: getting one from Debian\n'
  mkdir -p -- "$base/jdk"
  # shellcheck disable=SC2016 # for bash
  found=$(LOOMSHIM_CACHE=$(cd -- "$base/jdk" && pwd) bash -c 'set -euo pipefail
      . "$1"
      need_packages ca-certificates >&2
      need_jdk 21' "$0" "$here/../integration/lib.sh") || return 1
  java=$found/bin/java java_version=$(release "$found")
}

# advice: one line that says how to get a JDK here.
advice() {
  package=$(sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' /etc/os-release 2> /dev/null | tr -d '"' | tr '\n' ' ')
  case " $package" in
    *' debian '* | *' ubuntu '*)
      package='apt-get install openjdk-21-jdk-headless, or get Temurin from https://adoptium.net' ;;
    *' fedora '* | *' rhel '*) package='dnf install java-21-openjdk-devel' ;;
    *suse*) package='zypper install java-21-openjdk-devel' ;;
    *' arch '*) package='pacman -S jdk21-openjdk' ;;
    *) package='get Temurin from https://adoptium.net' ;;
  esac
  printf '%s; or name one with --java' "$package"
}

# build_dist: builds the distribution of this repository. That needs a compiler, which a runtime alone has not.
build_dist() {
  chosen=$java
  if [ -z "$java" ] || [ ! -x "${java%java}javac" ]; then
    newest javac || fetch || fail "no JDK 21 or newer with a compiler found; $(advice)"
  fi
  printf 'building the distribution with %s\n' "${java%/bin/java}"
  (cd -- "$here/.." && JAVA_HOME=${java%/bin/java} ./mvnw -q -B -DskipTests package)
  java=$chosen
}

# built: whether the distribution is there and no source is newer, as after a `git pull`; a copy without the
# means to build is taken as it is.
built() {
  [ -f "$dist/lib/loomshim.jar" ] &&
    { [ ! -x "$here/../mvnw" ] ||
      [ -z "$(find "$here/../pom.xml" "$here/../src/main" -newer "$dist/lib/version" 2> /dev/null | head -n 1)" ]; }
}

# find_dist: sets `dist`, and builds it if need be.
find_dist() {
  here=$(dirname -- "$0")
  if [ -n "$dist" ]; then
    :
  elif [ -f "$here/lib/loomshim.jar" ]; then
    dist=$here
  else
    dist=$here/../target/loomshim
    if ! built; then build_dist; fi
  fi
  [ -f "$dist/lib/loomshim.jar" ] || fail "$dist holds no distribution"
  machine=$(uname -m)
  native=$dist/lib/jni/$machine-Linux/libjffi-1.2.so
  [ -f "$native" ] || fail "no native library for $machine in $dist"
}

# build_id: prints a name for what is installed: all files, and the JDK where it is one of the machine's.
build_id() {
  {
    (cd -- "$dist" && find bin lib -type f ! -name '*.conf' -exec sha256sum -- {} + | LC_ALL=C sort)
    if [ -n "$java" ]; then
      printf '%s\n' "$java"
      cat -- "${java%/bin/java}/release"
    fi
  } | sha256sum | cut -c 1-12
}

# lay_out DIR: puts the files of the distribution together there, for a life as $home.
lay_out() {
  rm -rf -- "$1"
  mkdir -p -- "$1/native"
  copy=-R
  if $package; then copy=-al; fi
  set +f
  cp $copy -- "$dist"/lib/*.jar "$dist"/lib/*.sh "$1/"
  set -f
  if [ -z "$java" ]; then cp $copy -- "$dist/lib/jre" "$1/jre"; fi
  cp -- "$native" "$1/native/libjffi-1.2.so"
  escaped=$(quote "$home" | sed 's/[\\&|]/\\&/g')
  sed "s|^home=@home@\$|home=$escaped|" "$dist/bin/$shim" > "$1/$shim"
  chmod 0755 "$1/$shim"
  # what containerd has ignored, and that the end of a child is read from a descriptor: all threads must block it
  restore='env --default-signal=INT,QUIT --block-signal=CHLD'
  if ! $restore true 2> /dev/null; then restore=; fi
  {
    printf '# written by install.sh; settings of your own belong into %s\n' "$etc/loomshim.conf"
    printf 'installed_java=%s\n' "$(quote "${java:-$home/jre/bin/java}")"
    printf 'java_version=%s\n' "$java_version"
    printf 'build=%s\n' "$build"
    printf 'version=%s\nrevision=%s\n' "$(quote "$version")" "$(quote "$revision")"
    printf 'config=%s\n' "$(quote "$etc/loomshim.conf")"
    printf 'restore_signals=%s\n' "$(quote "$restore")"
  } > "$1/launcher.conf"
}

install_files() {
  find_dist
  find_java
  for tool in flock sha256sum od umount readlink; do
    command -v "$tool" > /dev/null || fail "$tool is missing (util-linux and coreutils have it)"
  done
  command -v runc > /dev/null || command -v crun > /dev/null || $package ||
    printf 'note: no runc and no crun in PATH; containerd needs one in its own\n'

  # shellcheck source=/dev/null
  . "$dist/lib/version"
  build=$(build_id)
  home=$base/$build
  mkdir -p -- "$base"
  # complete or not there: it comes by one rename
  if [ ! -d "$home" ]; then
    lay_out "$base/.new"
    mv -T -- "$base/.new" "$home"
  fi
  if $archive && [ ! -e "$home/loomshim.jsa" ]; then train; fi
  if ! $archive; then rm -f -- "$home/loomshim.jsa"; fi

  # from here on containerd starts this build, which it may do at any moment
  link "$build" "$base/current"
  if ! $package; then
    mkdir -p -- "$prefix/bin" "$etc"
    link "../lib/loomshim/current/$shim" "$prefix/bin/$shim"
    if [ ! -e "$etc/loomshim.conf" ]; then
      cp -- "$dist/lib/loomshim.conf" "$etc/loomshim.conf"
    fi
    lay_extras
  fi
  hand_over
  clean
  # they move on to the new build's daemon
  systemctl_if_there daemon-reload
  systemctl_if_there try-restart 'loomshim-warm@*.service'

  printf 'installed %s (JDK %s, build %s)\n' "$prefix/bin/$shim" "$java_version" "$build"
  printf 'settings: %s\n' "$etc/loomshim.conf"
  if $package; then return; fi
  configure=$here/kubernetes/configure.sh
  printf 'for Kubernetes: %s\n' "$configure"
  if shown=$(PATH=$prefix/bin:$PATH "$configure" --print 2> /dev/null) && [ -n "$shown" ]; then
    printf 'which would do this:\n%s\n' "$shown"
  fi
}

# hand_over: has the daemons that run go on with this build, if the user has chosen that. What it says is for the user;
# a daemon that does not hand over goes on as it is.
hand_over() {
  # shellcheck disable=SC2154 # settings reads it
  if (settings && $auto_upgrade); then
    printf 'auto_upgrade: the daemons that run are asked to hand over\n'
    "$home/$shim" upgrade || printf 'note: not all have; their containers go on with the build that they have\n'
  fi
}

# extras: prints what goes elsewhere than into the directory of a build, `FROM TO` a line. The Debian package has them
# itself.
extras() {
  printf '%s\n' "man/$shim.8 share/man/man8" "completion/$shim share/bash-completion/completions" \
    "systemd/loomshim-warm@.service lib/systemd/system" 'systemd/loomshim-warm lib/loomshim'
}

lay_extras() {
  escaped=$(printf %s "$base" | sed 's/[\\&|]/\\&/g')
  extras | while read -r from to; do
    [ -f "$here/$from" ] || continue
    mkdir -p -- "$prefix/$to"
    sed "s|@base@|$escaped|" "$here/$from" > "$prefix/$to/.${from##*/}"
    if [ -x "$here/$from" ]; then chmod 0755 "$prefix/$to/.${from##*/}"; else chmod 0644 "$prefix/$to/.${from##*/}"; fi
    mv -f -- "$prefix/$to/.${from##*/}" "$prefix/$to/${from##*/}"
  done
}

remove_extras() {
  extras | while read -r from to; do
    rm -f -- "$prefix/$to/${from##*/}"
    # directories that are empty now, but for those of /usr/local that every system has
    case $prefix/$to in
      /usr/local/share/man/*) rmdir -- "$prefix/$to" ;;
      /usr/local/*/*/*) rmdir -- "$prefix/$to" "$prefix/${to%/*}" ;;
      *) (cd -- "$prefix" && rmdir -p -- "$to") ;;
    esac 2> /dev/null || true
  done
}

# systemctl_if_there ARG...: runs it where systemd runs and knows the units of this installation.
systemctl_if_there() {
  [ -d /run/systemd/system ] && command -v systemctl > /dev/null || return 0
  case $prefix in
    /usr | /usr/local) systemctl "$@" || true ;;
  esac
}

# link TARGET NAME: makes or moves a symbolic link, at once.
link() {
  if [ -L "$2" ] && [ "$(readlink -- "$2")" = "$1" ]; then return; fi
  rm -f -- "${2%/*}/.${2##*/}"
  ln -s -- "$1" "${2%/*}/.${2##*/}"
  mv -fT -- "${2%/*}/.${2##*/}" "$2"
}

# train: makes the start-up archive by a dry run of the daemon, with the options that cold.sh gives it. It has the
# classes of the JDK too, so it goes in the place of the JDK's own, and from JDK 24 on they are linked in it. Without one
# everything works, slower. JDK 21 puts objects into it with that collector only; any can use them. At last a JVM is
# started with it: one does not start at all when these objects do not fit into its first heap.
train() {
  if {
    trained "-XX:DumpLoadedClassList=$home/.classes" io.loomshim.training.Training &&
      trained -Xshare:dump -XX:-UseSerialGC -XX:+UseG1GC -XX:+AOTClassLinking \
        "-XX:SharedClassListFile=$home/.classes" "-XX:SharedArchiveFile=$home/.loomshim.jsa" &&
      trained "-XX:SharedArchiveFile=$home/.loomshim.jsa" -version
  } > "$home/archive.log" 2>&1 < /dev/null && [ -s "$home/.loomshim.jsa" ]; then
    # which says what it fits
    modules=${java:-$home/jre/bin/java}
    modules=${modules%/bin/java}/lib/modules
    if [ -e "$modules" ]; then touch -r "$modules" -- "$home/.loomshim.jsa"; fi
    mv -f -- "$home/.loomshim.jsa" "$home/loomshim.jsa"
    rm -f -- "$home/archive.log"
  else
    rm -f -- "$home/.loomshim.jsa"
    printf 'note: no start-up archive was made, the daemon starts slower; see %s\n' "$home/archive.log"
  fi
  rm -f -- "$home/.classes"
}

# trained ARG...: runs a JVM with the daemon's options and classes.
trained() (
  cd /
  # shellcheck source=/dev/null
  . "$home/cold.sh"
  # shellcheck disable=SC2034 # jvm reads them; the command that it puts before java is the last one
  java=${java:-$home/jre/bin/java} installed_java='' java_options='' restore_signals='timeout 60'
  jvm -Xlog:all=warning:stderr -cp "$home/loomshim.jar" "$@"
)

# ---- what runs ----

# processes TEXT: prints the pids of those that have it in their command line.
processes() {
  set +f
  grep -lsF -- "$1" /proc/[0-9]*/cmdline | cut -d / -f 3 || true
  set -f
}

# words PID: prints its command line, a word a line.
words() {
  { tr '\0' '\n' < "/proc/$1/cmdline"; } 2> /dev/null || true
}

# daemons [DIR]: prints the pids of the daemons whose files are below this directory of builds, or in that one.
daemons() {
  for process in $(processes "$base/"); do
    case $(words "$process") in
      *"
$HOLDER
"*) ;;
      *"
-jar
${1-$base}/"*) printf '%s\n' "$process" ;;
    esac
  done
}

# launchers: prints the pids of this program's launchers, which come and go with each container.
launchers() {
  for process in $(processes "/$shim"); do
    case $(words "$process" | sed -n 2p) in
      *"/$shim") printf '%s\n' "$process" ;;
    esac
  done
}

# launchers_end: waits for those that run now; fails when one does not end.
launchers_end() {
  tries=0
  for process in $(launchers); do
    while [ -d "/proc/$process" ]; do
      [ $tries -lt $((LAUNCHER_SECONDS_MAX * 10)) ] || return 1
      sleep 0.1
      tries=$((tries + 1))
    done
  done
}

# serves PID: prints how many containers a daemon has, or processes of containers if those are more. It holds the
# log of each container until that is deleted, and adopts the processes.
serves() {
  logs=$(find "/proc/$1/fd" -lname '*/log' 2> /dev/null | wc -l)
  count=0
  set +f
  for file in /proc/[0-9]*/stat; do
    { IFS= read -r stat < "$file"; } 2> /dev/null || continue
    stat=${stat##*) }
    case $stat in
      Z*) continue ;;
    esac
    stat=${stat#* }
    [ "${stat%% *}" = "$1" ] || continue
    child=${file%/stat}
    if ! grep -qsF "$HOLDER" "$child/cmdline"; then count=$((count + 1)); fi
  done
  set -f
  # a container that is about to come
  here=$(readlink -- "/proc/$1/cwd") || here=/nonexistent
  promised=$(find "$here/leases" -type f -mmin "-$LEASE_MINUTES_MAX" 2> /dev/null | wc -l)
  if [ "$logs" -gt $count ]; then count=$logs; fi
  printf %s $((count + promised))
}

# busy: sets `busy`, what all daemons of this installation serve.
busy() {
  busy=0
  for daemon in $(daemons); do
    busy=$((busy + $(serves "$daemon")))
  done
}

# clean: removes builds that are neither current nor used.
clean() {
  # a launcher that has begun with the earlier build may start its daemon yet
  launchers_end || return 0
  current=$(readlink -- "$base/current") || return 0
  set +f
  set -- "$base"/*/
  set -f
  for directory in "$@"; do
    directory=${directory%/}
    case ${directory##*/} in
      current | "$current" | '*') continue ;;
    esac
    if [ -L "$directory" ] || [ ! -e "$directory/launcher.conf" ]; then continue; fi
    if [ -n "$(daemons "$directory")" ]; then
      printf 'build %s still serves containers; its files stay\n' "${directory##*/}"
    else
      rm -rf -- "$directory"
      forget "${directory##*/}"
    fi
  done
}

# settings: reads where daemons and starts meet, as the launcher does.
settings() {
  run_dir=
  here=$(dirname -- "$0")
  for reader in "$here/lib" "$here/../src/main/launcher" "$base/current"; do
    if [ -r "$reader/settings.sh" ]; then
      # shellcheck source=src/main/launcher/settings.sh
      . "$reader/settings.sh"
      read_settings "$etc/loomshim.conf"
      return
    fi
  done
  fail "settings.sh is missing beside $0"
}

# forget BUILD: removes what its daemons have left in the run directory.
forget() {
  settings
  set +f
  for directory in "$run_dir/$1@"* "$run_dir/options/$1"; do
    # a daemon that another one has handed over to stays where that was, and has a lock on the directory
    if [ -d "$directory" ] && flock -n "$directory" true; then rm -rf -- "$directory"; fi
  done
  set -f
}

# ---- uninstall ----

uninstall_files() {
  [ -L "$base/current" ] || $package || fail "nothing is installed in $prefix"
  # the containers of the units are no reason to stay
  warm=$(systemctl_if_there list-units --plain --no-legend --state=active 'loomshim-warm@*.service' | cut -d ' ' -f 1)
  # shellcheck disable=SC2086 # names of units
  if [ -n "$warm" ]; then systemctl stop $warm || true; fi
  busy
  if $drain && [ $busy -gt 0 ]; then
    printf 'waiting for %s containers or processes of containers to end\n' $busy
    while [ $busy -gt 0 ]; do
      sleep 1
      busy
    done
  fi
  if [ $busy -gt 0 ] && ! $force; then
    # shellcheck disable=SC2086 # names of units
    if [ -n "$warm" ]; then systemctl start $warm || true; fi
    still="daemons still serve $busy containers or processes of containers"
    # the package manager says how it takes the two options
    if $package; then fail "$still"; fi
    fail "$still; end those first, or use --drain or --force"
  fi
  # shellcheck disable=SC2086 # names of units
  if [ -n "$warm" ]; then systemctl disable $warm || true; fi
  for daemon in $(daemons); do
    printf 'ending daemon %s\n' "$daemon"
    kill -TERM "$daemon" 2> /dev/null || continue
    tries=0
    while daemons | grep -qx "$daemon"; do
      [ $tries -lt $((END_SECONDS_MAX * 10)) ] || fail "daemon $daemon does not end"
      sleep 0.1
      tries=$((tries + 1))
    done
  done
  # containerd removes the containers of daemons that have ended, and needs the launcher for that
  if [ $busy -gt 0 ]; then
    sleep 1
    launchers_end || printf 'note: containerd has not removed all containers yet\n'
  fi
  if ! $package; then
    rm -f -- "$prefix/bin/$shim"
    remove_extras
    rm -rf -- "$base/jdk"  # one that was fetched
  fi
  launchers_end || true
  set +f
  for directory in "$base"/*/; do
    directory=${directory%/}
    if [ -e "$directory/launcher.conf" ] && [ ! -L "$directory" ]; then
      rm -rf -- "$directory"
      forget "${directory##*/}"
    fi
  done
  set -f
  rm -rf -- "$base/current" "$base/.current" "$base/.new"
  rmdir -- "$base" 2> /dev/null || true
  settings
  # what is known of a containerd is found out again when another installation needs it
  rm -rf -- "$run_dir/heirs" "$run_dir/ended"
  rmdir -- "$run_dir/options" "$run_dir" 2> /dev/null || true
  if $purge; then rm -f -- "$etc/loomshim.conf"; fi
  printf 'removed from %s\n' "$prefix"
}

version=unknown revision=unknown
prefix=/usr/local java='' dist='' archive=true package=false action=install drain=false force=false purge=false
while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --java | --dist)
      [ $# -gt 1 ] || fail "$1 needs a value"
      case $1 in
        --prefix) prefix=$2 ;;
        --java) java=$2 ;;
        --dist) dist=$2 ;;
      esac
      shift ;;
    --no-archive) archive=false ;;
    --package) package=true ;;
    --clean) action=clean ;;
    --uninstall) action=uninstall ;;
    --drain) drain=true ;;
    --force) force=true ;;
    --purge) purge=true ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;;
esac
prefix=${prefix%/}
shim=containerd-shim-loom-v1
base=$prefix/lib/loomshim
etc=$prefix/etc
if [ "$prefix" = /usr ]; then etc=/etc; fi
case $action in
  install) install_files ;;
  clean) clean ;;
  uninstall) uninstall_files ;;
esac
