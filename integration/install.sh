#!/bin/sh
# Installs containerd-shim-loom-v1 from target/loomshim, or removes it. Needs no network unless the
# distribution has to be built first.
set -euf

usage() {
  cat <<'END'
Usage: integration/install.sh [--prefix DIR] [--java FILE] [--dist DIR] [--no-archive]
       integration/install.sh --uninstall [--prefix DIR] [--force] [--purge]

  --prefix DIR   where to install: DIR/bin, DIR/lib/loomshim, DIR/etc (default /usr/local)
  --java FILE    the java of a JDK 21 or newer (default: JAVA_HOME, then the newest in /usr/lib/jvm)
  --dist DIR     the distribution to install (default target/loomshim, built when absent)
  --no-archive   make no start-up archive
  --uninstall    end idle daemons and remove the installed files
  --force        with --uninstall: also end daemons that still serve containers
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

find_java() {
  if [ -n "$java" ]; then
    java_version=$(release "${java%/bin/java}")
    [ "${java_version:-0}" -ge 21 ] || fail "$java is not the java of a JDK 21 or newer"
    return
  fi
  java_version=0
  set +f
  for candidate in "${JAVA_HOME-}" /usr/lib/jvm/*; do
    found=$(release "$candidate")
    if [ "${found:-0}" -ge 21 ] && [ "$found" -gt "$java_version" ]; then
      java=$candidate/bin/java java_version=$found
    fi
    # the user's own choice wins over a newer one
    if [ -n "$java" ] && [ "$candidate" = "${JAVA_HOME-}" ]; then break; fi
  done
  set -f
  [ -n "$java" ] || fail 'no JDK 21 or newer found in JAVA_HOME and /usr/lib/jvm; name one with --java'
}

install_files() {
  repository=$(dirname -- "$0")/..
  if [ -z "$dist" ]; then
    dist=$repository/target/loomshim
    if [ ! -f "$dist/lib/loomshim.jar" ]; then
      printf 'building the distribution\n'
      (cd -- "$repository" && JAVA_HOME=${java%/bin/java} ./mvnw -q -B -DskipTests package)
    fi
  fi
  [ -f "$dist/lib/loomshim.jar" ] || fail "$dist holds no distribution"
  machine=$(uname -m)
  native=$dist/lib/jni/$machine-Linux/libjffi-1.2.so
  [ -f "$native" ] || fail "no native library for $machine in $dist"
  for tool in flock sha256sum od umount readlink; do
    command -v "$tool" > /dev/null || fail "$tool is missing (util-linux and coreutils have it)"
  done
  command -v runc > /dev/null || printf 'note: no runc in PATH; containerd needs one in its own\n'

  # shellcheck source=/dev/null
  . "$dist/lib/version"

  mkdir -p -- "$prefix/bin" "$home/native" "$etc"
  set +f
  rm -f -- "$home"/*.jar "$home/loomshim.jsa"
  cp -- "$dist"/lib/*.jar "$home/"
  build=$(cd -- "$home" && sha256sum -- *.jar | sha256sum | cut -c 1-12)
  set -f
  cp -- "$native" "$home/native/libjffi-1.2.so"
  install -m 0644 -- "$dist/lib/slow.sh" "$home/slow.sh"
  restore=
  if env --default-signal=INT,QUIT true 2> /dev/null; then restore='env --default-signal=INT,QUIT'; fi
  {
    printf '# written by install.sh; settings of your own belong into %s\n' "$etc/loomshim.conf"
    printf 'installed_java=%s\n' "$(quote "$java")"
    printf 'java_version=%s\n' "$java_version"
    printf 'build=%s\n' "$build"
    printf 'version=%s\nrevision=%s\n' "$(quote "$version")" "$(quote "$revision")"
    printf 'config=%s\n' "$(quote "$etc/loomshim.conf")"
    printf 'restore_signals=%s\n' "$(quote "$restore")"
  } > "$home/.launcher.conf"
  mv -f -- "$home/.launcher.conf" "$home/launcher.conf"
  # the launcher comes last and at once: containerd may start it at any moment
  escaped=$(quote "$home" | sed 's/[\\&|]/\\&/g')
  sed "s|^home=@home@\$|home=$escaped|" "$dist/bin/$shim" > "$prefix/bin/.$shim"
  chmod 0755 "$prefix/bin/.$shim"
  mv -f -- "$prefix/bin/.$shim" "$prefix/bin/$shim"
  if [ ! -e "$etc/loomshim.conf" ]; then configuration > "$etc/loomshim.conf"; fi
  if $archive; then train; fi

  printf 'installed %s (JDK %s, build %s)\n' "$prefix/bin/$shim" "$java_version" "$build"
  printf 'settings: %s\n' "$etc/loomshim.conf"
  printf 'in /etc/containerd/config.toml, for Kubernetes:\n'
  printf '  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.loom]\n'
  printf '    runtime_type = "io.containerd.loom.v1"\n'
}

configuration() {
  cat <<'END'
# Settings of containerd-shim-loom-v1, read by sh at every start: values with blanks need quotes.

# one daemon per: namespace, pod, container
#mode=namespace

# how long a daemon without containers stays, in seconds
#linger_seconds=30

# what threads are, for comparisons: virtual, platform, or fixed:N for at most N that do calls
#threads=virtual

# another JVM than the one found at installation, and further options for it
#java=/usr/lib/jvm/default/bin/java
#java_options='-Xmx128m'

# the version of the task API that containerd is told: auto, 2, or 3 (for containerd 2.0 to 2.2)
#task_api=auto

# where daemons and starts meet; removed at boot
#run_dir=/run/loomshim

# how long a command of runc may take before it is killed, in seconds; create gets twice that, checkpoint 30 times
#runc_timeout_seconds=60
END
}

# train: makes the start-up archive by a dry run of the daemon. Without one everything works, slower.
train() {
  set -- -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Djffi.boot.library.path=$home/native" \
    -jar "$home/loomshim.jar" -train
  if [ "$java_version" -ge 24 ]; then set -- --sun-misc-unsafe-memory-access=allow "$@"; fi
  if (cd / && timeout 60 "$java" "-XX:ArchiveClassesAtExit=$home/.loomshim.jsa" "$@") \
      > "$home/archive.log" 2>&1 < /dev/null && [ -s "$home/.loomshim.jsa" ]; then
    mv -f -- "$home/.loomshim.jsa" "$home/loomshim.jsa"
    rm -f -- "$home/archive.log"
  else
    rm -f -- "$home/.loomshim.jsa"
    printf 'note: no start-up archive was made, the daemon starts slower; see %s\n' "$home/archive.log"
  fi
}

# ---- uninstall ----

# running FILE: whether the daemon that FILE names runs from this installation; sets `pid`.
running() {
  [ -f "$1" ] || return 1
  read -r pid started _ < "$1" || return 1
  { IFS= read -r stat < "/proc/$pid/stat"; } 2> /dev/null || return 1
  # shellcheck disable=SC2086 # splits at blanks
  set -- ${stat##*) }
  [ "$1" != Z ] && [ "${20-}" = "$started" ] || return 1
  tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -qF -- "-jar $home/loomshim.jar "
}

# children PID: prints how many processes a daemon has below it. It adopts its containers.
children() {
  count=0
  set +f
  for file in /proc/[0-9]*/stat; do
    { IFS= read -r stat < "$file"; } 2> /dev/null || continue
    stat=${stat##*) }
    stat=${stat#* }
    if [ "${stat%% *}" = "$1" ]; then count=$((count + 1)); fi
  done
  set -f
  printf %s "$count"
}

uninstall_files() {
  [ -f "$home/launcher.conf" ] || fail "nothing is installed in $prefix"
  run_dir=/run/loomshim
  # shellcheck source=/dev/null
  if [ -r "$etc/loomshim.conf" ]; then . "$etc/loomshim.conf"; fi
  # shellcheck source=/dev/null
  . "$home/launcher.conf"
  busy=0
  set +f
  # shellcheck disable=SC2154 # from launcher.conf
  set -- "$run_dir"/*/daemon
  set -f
  for file in "$@"; do
    if ! running "$file"; then continue; fi
    busy=$((busy + $(children "$pid")))
  done
  if [ "$busy" -gt 0 ] && ! $force; then
    fail "daemons still serve $busy processes of containers; end those first, or use --force"
  fi
  for file in "$@"; do
    if ! running "$file"; then continue; fi
    printf 'ending daemon %s\n' "$pid"
    kill -TERM "$pid"
    tries=0
    while running "$file" && [ $tries -lt 100 ]; do
      sleep 0.1
      tries=$((tries + 1))
    done
    if [ $tries -ge 100 ]; then fail "daemon $pid does not end"; fi
  done
  rm -f -- "$prefix/bin/$shim"
  rm -rf -- "$home"
  set +f
  for directory in "$run_dir/$build@"* "$run_dir/options/$build"; do
    if [ -d "$directory" ]; then rm -rf -- "$directory"; fi
  done
  set -f
  rmdir -- "$run_dir/options" "$run_dir" 2> /dev/null || true
  if $purge; then rm -f -- "$etc/loomshim.conf"; fi
  printf 'removed from %s\n' "$prefix"
}

version=unknown revision=unknown
prefix=/usr/local java='' dist='' archive=true uninstall=false force=false purge=false
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
    --uninstall) uninstall=true ;;
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
home=$prefix/lib/loomshim
etc=$prefix/etc
if [ "$prefix" = /usr ]; then etc=/etc; fi
if $uninstall; then
  uninstall_files
else
  find_java
  install_files
fi
