# shellcheck shell=bash
# Helpers of the scripts here, in packaging and in bench: get what is missing on a Debian machine, build a root
# file system, run a containerd of our own and take it away again with everything it left.
# Source it from bash with `set -euo pipefail`.
#
# Nothing here touches a containerd that already runs: every start has its own directory under /tmp
# (SCOPE), its own sockets, and its own namespace, which is also the parent of its cgroups. The
# directory and the namespace share one unique name, so that all that belongs to a run is found by it.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROGRAM=$(realpath -- "$0")
# What is fetched from Debian without being installed lives here, for the next run.
CACHE=${LOOMSHIM_CACHE:-/var/cache/loomshim}

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# usage: what the program says of itself, the comment at its head.
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$PROGRAM"; }
# refuse MESSAGE: the command line is not understood.
refuse() {
  say "error: $*; see --help"
  exit 2
}

# no_arguments ARGUMENT...: of a script that takes none but --help.
no_arguments() {
  case ${1-} in
    '') ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) refuse "unknown argument $1" ;;
  esac
}

need_root() { [[ $(id -u) == 0 ]] || die "this needs root"; }

# check SENTENCE COMMAND...: one test, which counts in `passed` or `failed`. What the command prints is shown when it
# fails. Where there is a function `checked`, it is called afterwards, with SENTENCE and OUTPUT; CHECK_ABOUT is put before
# the sentence.
check() {
  local sentence=$1 output status
  shift
  set +e
  output=$(set -e; "$@" 2>&1 </dev/null)
  status=$?
  set -e
  if ((status == 0)); then
    printf 'ok     %s%s\n' "${CHECK_ABOUT-}" "$sentence"
    passed=$((passed + 1))
  else
    printf 'FAILED %s%s\n%s\n' "${CHECK_ABOUT-}" "$sentence" "$(tail -n 25 <<<"$output")"
    failed=$((failed + 1))
  fi
  ! declare -F checked >/dev/null || checked "$sentence" "$output"
}

# ---------------------------------------------------------------------------------- packages

apt_quiet() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 --no-install-recommends "$@" </dev/null 2>&1
}

# Runs a command while services may not be started by a package's installation: policy-rc.d is what
# Debian asks before it starts one. The one that was there, if any, comes back afterwards.
without_services() (
  policy=/usr/sbin/policy-rc.d
  saved=$policy.before-loomshim
  trap 'rm -f "$policy"; [[ ! -e $saved ]] || mv "$saved" "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  [[ -e $saved || ! -e $policy ]] || mv "$policy" "$saved"
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  "$@"
)

# need_packages NAME...: installs those that are not installed. Reads the package lists anew when
# they are missing, older than a day, or turn out to be out of date.
need_packages() {
  local missing=() name log
  for name; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  need_root
  say "installing ${missing[*]}"
  mkdir -p "$CACHE"
  log=$CACHE/apt.log
  (
    flock 9
    if [[ -n $(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mmin -1440 2>/dev/null | head -n 1) ]] &&
      without_services apt_quiet install "${missing[@]}" >"$log"; then
      exit 0
    fi
    # one broken source of many must not stop us: the installation decides
    apt_quiet update >"$log" || true
    without_services apt_quiet install "${missing[@]}" >>"$log"
  ) 9>"$CACHE/apt.lock" || {
    tail -n 15 "$log" >&2
    die "could not install ${missing[*]}"
  }
}

# need_command COMMAND [PACKAGE]: the package is installed only when nobody provides the command.
need_command() { command -v "$1" >/dev/null || need_packages "${2:-$1}"; }

# containerd, ctr, the Go shims, runc and crun. A containerd that is already there is used as it is;
# one that we install is neither started nor enabled for the next boot.
need_containerd() {
  if ! command -v containerd >/dev/null || ! command -v ctr >/dev/null; then
    need_packages containerd
    if [[ -d /run/systemd/system ]]; then
      systemctl disable containerd.service >/dev/null 2>&1 || true
    fi
  fi
  need_command runc
  need_command crun
  free_root_cgroup
}

# Inside a container with a cgroup v2 namespace of its own, this machine's processes sit in the root
# group. A group with processes may not have groups with controllers below it (cgroups(7), "no
# internal processes"): they move into one of their own, where their share of everything is the same.
free_root_cgroup() {
  local root=/sys/fs/cgroup pid controller controllers
  # the real root has no cgroup.type, and needs nothing
  [[ -e $root/cgroup.type && -w $root/cgroup.procs && -n $(<"$root/cgroup.procs") ]] || return 0
  mkdir -p "$root/init"
  while read -r pid; do
    { echo "$pid" >"$root/init/cgroup.procs"; } 2>/dev/null || true
  done <"$root/cgroup.procs"
  read -ra controllers <"$root/cgroup.controllers" || true
  for controller in "${controllers[@]}"; do
    { echo "+$controller" >"$root/cgroup.subtree_control"; } 2>/dev/null || say "no cgroup controller $controller here"
  done
}

# -------------------------------------------------------------------------------------- JDKs

# jdk_version HOME: the feature number (21), or nothing when HOME holds no working JDK.
jdk_version() {
  local version
  [[ -x $1/bin/javac && -r $1/release ]] || return 0
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  [[ -n $version ]] && "$1/bin/java" -version >/dev/null 2>&1 || return 0
  printf '%s\n' "$version"
}

# find_jdk MIN [MAX]: prints the home of a JDK on this machine with MIN <= version <= MAX.
find_jdk() {
  local home version name on_path candidates=()
  for name in JAVA_HOME "${!JAVA_HOME_@}"; do
    [[ -z ${!name-} ]] || candidates+=("${!name}")
  done
  # the others that were fetched are there for those who name them
  candidates+=(/usr/lib/jvm/* "$CACHE"/jdk-{21,25,"$1"}/usr/lib/jvm/java-*)
  if on_path=$(command -v javac); then
    on_path=$(readlink -f "$on_path")
    candidates+=("${on_path%/bin/javac}")
  fi
  for home in "${candidates[@]}"; do
    [[ -d $home && ! -L $home ]] || continue
    version=$(jdk_version "$home")
    if [[ -n $version ]] && ((version >= $1 && version <= ${2:-999})); then
      printf '%s\n' "$home"
      return 0
    fi
  done
  return 1
}

# need_jdk NUMBER: prints the home of a JDK of that release; fetches it if need be. For 25 a newer one will do.
need_jdk() {
  local max=$1
  [[ $1 != 25 ]] || max=999
  find_jdk "$1" "$max" && return 0
  need_root
  fetch_jdk "$1" >&2
  find_jdk "$1" "$max" || die "JDK $1 was fetched but does not run; see $CACHE"
}

# The distribution's own package where there is one (Debian 13 and newer); else Debian's files in a private tree: a JDK
# needs a newer libc than Debian 12 has, and the machine's own must stay.
fetch_jdk() {
  local package=openjdk-$1-jdk-headless
  need_packages ca-certificates
  if [[ -n $(apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9].*\)/\1/p') ]]; then
    need_packages "$package"
    return
  fi
  need_jdk_tree "$1" >/dev/null
}

# cached NAME COMMAND...: has COMMAND fill the directory NAME of the cache, once for all who ask at the same time.
cached() {
  mkdir -p "$CACHE"
  (
    flock 9
    [[ -e $CACHE/$1/complete ]] || "${@:2}" >&2
  ) 9>"$CACHE/$1.lock"
}

# need_jdk_tree NUMBER: prints the home of a JDK that brings the libc along that it runs on; fetches it
# from Debian if need be.
need_jdk_tree() {
  need_root
  need_packages debian-archive-keyring patchelf >&2
  cached "jdk-$1" fetch_jdk_tree "$1"
  printf '%s\n' "$CACHE/jdk-$1/usr/lib/jvm/java-$1-openjdk-"*
}

# debian_tree NAME SUITE [PACKAGE,...]: prints the path of a tree that debootstrap has made, kept as NAME.
debian_tree() {
  need_packages debootstrap >&2
  cached "$1" make_debian_tree "$@"
  printf '%s\n' "$CACHE/$1"
}
make_debian_tree() {
  local tree=$CACHE/$1
  say "making a Debian tree of $2 in $tree"
  rm -rf "$tree"
  debootstrap --variant=minbase ${3:+"--include=$3"} "$2" "$tree" "$(debian_mirror)" >"$tree.log" 2>&1 || {
    tail -n 5 "$tree.log" >&2
    die "debootstrap failed"
  }
  rm -f "$tree"/var/cache/apt/archives/*.deb
  touch "$tree/complete"
}

# The Debian mirror that this machine already uses.
debian_mirror() {
  local found
  found=$(grep -hE '^(deb |URIs:)' /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -n 1 || true)
  found=${found% }
  printf '%s\n' "${found:-http://deb.debian.org/debian}"
}

# suite_apt SUITE DIR ARGUMENT...: apt-get with a state of its own in DIR that knows that suite of Debian alone, and its
# sources if `with_sources` is set; experimental stands on sid.
suite_apt() {
  local suite=$1 dir=$2 known=("$1")
  shift 2
  if [[ $suite == experimental ]]; then
    known+=(sid)
    [[ $1 == update ]] || set -- -t experimental "$@"
  fi
  mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
  : >"$dir/state/status"
  for suite in "${known[@]}"; do
    printf '%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' deb "$(debian_mirror)" "$suite" \
      ${with_sources:+deb-src "$(debian_mirror)" "$suite"}
  done >"$dir/sources.list"
  apt_quiet -o Dir::State="$dir/state" -o Dir::State::status="$dir/state/status" -o Dir::Cache="$dir/cache" \
    -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null \
    -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

# jdk_suite NUMBER: the suite of Debian that has this JDK.
jdk_suite() {
  case $1 in
    21 | 25) printf 'trixie\n' ;;
    *) printf 'sid\n' ;;
  esac
}

fetch_jdk_tree() {
  local number=$1 tree=$CACHE/jdk-$1 suite arch triple loader home file target apt
  suite=$(jdk_suite "$number")
  arch=$(dpkg --print-architecture)
  case $arch in
    amd64) triple=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 ;;
    arm64) triple=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 ;;
    *) die "no JDK for $arch here: set JAVA_HOME to a JDK $number or newer" ;;
  esac
  say "fetching JDK $number from Debian $suite into $tree"
  rm -rf "$tree"
  apt=$tree/apt
  mkdir -p "$apt"
  if ! (
    cd "$apt" && suite_apt "$suite" "$apt" update &&
      suite_apt "$suite" "$apt" download "openjdk-$number-jre-headless" "openjdk-$number-jdk-headless" \
        libc6 libstdc++6 libgcc-s1 zlib1g libjpeg62-turbo liblcms2-2
  ) >"$CACHE/jdk-$number.log"; then
    tail -n 15 "$CACHE/jdk-$number.log" >&2
    die "could not fetch JDK $number"
  fi
  for file in "$apt"/*.deb; do
    dpkg -x "$file" "$tree"
  done
  rm -rf "$apt"
  home=$tree/usr/lib/jvm/java-$number-openjdk-$arch
  [[ -x $home/bin/java ]] || die "no JDK in $tree"
  # the package's configuration: links to /etc become files
  find "$home" -type l -lname '/etc/java-*' -print | while read -r file; do
    target=$(readlink "$file")
    rm "$file"
    [[ ! -e $tree$target ]] || cp -rL "$tree$target" "$file"
  done
  # run on the tree's own libc; only the JDK's programs, what they start is not concerned
  for file in "$home"/bin/* "$home/lib/jspawnhelper"; do
    patchelf --set-interpreter "$tree/usr/lib/$triple/$loader" --force-rpath \
      --set-rpath "$home/lib:$tree/usr/lib/$triple" "$file" 2>/dev/null || true
  done
  # the certificates this machine trusts, in the form Java reads
  rm -f "$home/lib/security/cacerts"
  "$home/bin/java" -Dkeystore.pkcs12.certProtectionAlgorithm=NONE -Dkeystore.pkcs12.macAlgorithm=NONE \
    "$REPO/packaging/Cacerts.java" /etc/ssl/certs/ca-certificates.crt "$home/lib/security/cacerts"
  # the archive that the package would have made on installation: a faster start
  "$home/bin/java" -Xshare:dump >/dev/null 2>&1 || true
  touch "$tree/complete"
}

# -------------------------------------------------------------------------------------- CRIU

# need_criu: prints the path of a CRIU that works with this kernel. Without one it fails and prints, to
# stderr, what CRIU says about the kernel. Only its directory need be in the PATH of what runs runc.
need_criu() {
  local criu
  need_root
  criu=$(criu_binary)
  criu_works "$criu"
}

# suite_criu SUITE: the same of that suite of Debian.
suite_criu() {
  local criu
  need_root
  criu=$(need_criu_tree "$1")
  criu_works "$criu"
}

# criu_works PROGRAM: prints the program, unless it says that it does not go with this kernel.
criu_works() {
  # it locks the network of what it saves, and saves it
  need_command iptables-restore iptables >&2
  need_command ip iproute2 >&2
  "$1" check >/dev/null || return 1
  printf '%s\n' "$1"
}

# The distribution's own where it is new enough for the kernels of today (Debian 13 and newer); else
# Debian 13's in a private tree, like a JDK.
criu_binary() {
  local version
  if ! command -v criu >/dev/null; then
    version=$(apt-cache policy criu 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9.]*\).*/\1/p')
    if [[ -n $version ]] && dpkg --compare-versions "$version" ge 4; then
      need_packages criu >&2
    fi
  fi
  if command -v criu >/dev/null && dpkg --compare-versions "$(criu --version | sed -n 's/^Version: *//p')" ge 4; then
    command -v criu
    return
  fi
  need_criu_tree trixie
}

# need_criu_tree SUITE: prints the path of that suite's CRIU, which brings its libraries along.
need_criu_tree() {
  local name=criu
  [[ $1 == trixie ]] || name=criu-$1
  need_packages debian-archive-keyring patchelf >&2
  cached "$name" fetch_criu_tree "$1" "$CACHE/$name"
  printf '%s\n' "$CACHE/$name/bin/criu"
}

fetch_criu_tree() {
  local suite=$1 tree=$2 apt=$2/apt log=$2.log file loader
  say "fetching CRIU from Debian $suite into $tree"
  rm -rf "$tree"
  mkdir -p "$apt"
  # its dependencies, all of them: to this apt nothing is installed
  if ! { suite_apt "$suite" "$apt" update && suite_apt "$suite" "$apt" install --download-only criu; } >"$log"; then
    tail -n 15 "$log" >&2
    die "could not fetch CRIU"
  fi
  for file in "$apt"/cache/archives/*.deb; do
    dpkg -x "$file" "$tree"
  done
  rm -rf "$apt"
  mkdir "$tree/bin.new"
  mv "$tree/usr/sbin/criu" "$tree/bin.new/criu"
  loader=$(find "$tree/usr/lib" -name 'ld-linux-*.so.*' -print -quit)
  patchelf --set-interpreter "$loader" --force-rpath --set-rpath "${loader%/*}" "$tree/bin.new/criu"
  rm -rf "${tree:?}/bin"
  mv "$tree/bin.new" "$tree/bin"
  touch "$tree/complete"
}

# ---------------------------------------------------------------- other versions of containerd

# need_suite SUITE: prints a directory with what that suite of Debian has: containerd/containerd, containerd/ctr,
# oci/runc and oci/crun, which run on this machine. Not the shims: those of the machine are the ones to compare with.
need_suite() {
  need_root
  need_packages debian-archive-keyring patchelf >&2
  cached "suite-$1" fetch_suite "$1"
  printf '%s\n' "$CACHE/suite-$1"
}

fetch_suite() {
  local suite=$1 tree=$CACHE/suite-$1 apt=$CACHE/suite-$1/apt file path loader
  say "fetching containerd, runc and crun of Debian $suite into $tree"
  rm -rf "$tree"
  mkdir -p "$apt" "$tree/containerd" "$tree/oci"
  # with all that they need: to this apt nothing is installed
  if ! { suite_apt "$suite" "$apt" update &&
    suite_apt "$suite" "$apt" install --download-only containerd runc crun; } >"$CACHE/suite-$suite.log"; then
    tail -n 15 "$CACHE/suite-$suite.log" >&2
    die "could not fetch containerd of $suite"
  fi
  for file in "$apt"/cache/archives/*.deb; do
    dpkg -x "$file" "$tree/files"
  done
  rm -rf "$apt"
  loader=$(find "$tree/files" -name 'ld-linux-*.so.*' -type f -print -quit)
  for path in usr/bin/containerd usr/bin/ctr usr/sbin/runc usr/bin/crun; do
    case $path in
      */containerd | */ctr) file=$tree/containerd/${path##*/} ;;
      *) file=$tree/oci/${path##*/} ;;
    esac
    cp "$tree/files/$path" "$file"
    # a suite newer than this machine's brings the libc along that its programs run on
    "$file" --version >/dev/null 2>&1 ||
      patchelf --set-interpreter "$loader" --force-rpath --set-rpath "${loader%/*}" "$file"
    "$file" --version >/dev/null || die "$file does not run here"
  done
  rm -rf "$tree/files/usr/bin" "$tree/files/usr/sbin" "$tree/files/usr/share"
  touch "$tree/complete"
}

# ------------------------------------------------------------------------------------ Docker

# need_docker SUITE: prints a directory with dockerd and docker of that suite of Debian (13 or newer), which run
# on this machine's libc. Nothing is installed, so no Docker of this machine is touched and none begins to run.
need_docker() {
  local suite=$1 programs
  programs=$CACHE/docker-$suite/bin
  need_root
  need_packages debian-archive-keyring >&2
  # it looks for the programs even where it may make no rules; `docker top` runs ps
  need_command iptables >&2
  need_command ps procps >&2
  cached "docker-$suite" fetch_docker "$suite"
  "$programs/dockerd" --version >&2 && "$programs/docker" --version >&2 || return 1
  printf '%s\n' "$programs"
}

fetch_docker() {
  local suite=$1 tree=$CACHE/docker-$1 apt=$CACHE/docker-$1/apt log=$CACHE/docker-$1.log file
  say "fetching Docker of Debian $suite into $tree"
  rm -rf "$tree"
  mkdir -p "$apt" "$tree/bin"
  if ! (cd "$apt" && suite_apt "$suite" "$apt" update && suite_apt "$suite" "$apt" download docker.io docker-cli) >"$log"; then
    tail -n 15 "$log" >&2
    die "could not fetch Docker"
  fi
  for file in "$apt"/*.deb; do
    dpkg -x "$file" "$apt/tree"
  done
  mv "$apt/tree/usr/sbin/dockerd" "$apt/tree/usr/bin/docker" "$tree/bin"
  rm -rf "$apt"
  touch "$tree/complete"
}

# ------------------------------------------------------------------------- reports of tests

# summary DIR...: "passed failed skipped" over the JUnit reports below the directories.
summary() {
  find "$@" -name 'TEST-*.xml' -exec sed -n '/<testsuite /,/>/p' {} + 2>/dev/null | awk '
    BEGIN { RS = "[ \n>]+"; FS = "\"" }
    /^tests="/ { tests += $2 }
    /^errors="/ || /^failures="/ { failed += $2 }
    /^skipped="/ { skipped += $2 }
    END { print tests - failed - skipped, failed + 0, skipped + 0 }'
}

# In CI, where the machine is a stranger's, a test that has failed is tried once more. It counts by its second try, and
# is told as flaky with what it said at the first: a fault in it or in the product, to be looked into all the same.
# surefire_tries: what Maven is to be told for that.
surefire_tries() { [[ -z ${CI-} ]] || printf '%s\n' -Dsurefire.rerunFailingTestsCount=1; }

# failures DIR: one line for each test below it that failed, with its message; likewise for those that were flaky.
failures() {
  find "$1" -name 'TEST-*.xml' -exec cat {} + 2>/dev/null | awk '
    function attribute(name,  rest) {
      if (!match($0, " " name "=\"")) return ""
      rest = substr($0, RSTART + RLENGTH)
      rest = substr(rest, 1, index(rest "\"", "\"") - 1)
      gsub(/&#10;/, " ", rest); gsub(/&lt;/, "<", rest); gsub(/&gt;/, ">", rest)
      gsub(/&quot;/, "\"", rest); gsub(/&apos;/, "\047", rest); gsub(/&amp;/, "\\&", rest)
      return rest
    }
    /<testcase / { test = attribute("classname") " " attribute("name") }
    /<(failure|error)[ >]/ { print "    " test ": " substr(attribute("message"), 1, 400) }
    /<flaky(Failure|Error)[ >]/ { print "    flaky: " test ": " substr(attribute("message"), 1, 400) }'
}

# Scripts that are a sequence of others, each with a last line `N passed, N failed, N skipped`.
passed=0 failed=0 skipped=0

# part COMMAND...: runs it and adds its last line.
part() {
  local status=0 log line
  log=$(mktemp)
  printf -- '-- %s\n' "$*"
  "$@" </dev/null 2>&1 | tee "$log" || status=$?
  line=$(tail -n 1 "$log")
  rm -f "$log"
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) skipped=$((skipped + BASH_REMATCH[3]))
    # a failure without a test is one all the same
    failed=$((failed + (status && !BASH_REMATCH[2] ? 1 : BASH_REMATCH[2])))
  else
    failed=$((failed + 1))
  fi
}

# parts_end: prints the sum of all parts and ends with its status.
parts_end() {
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  exit $((failed != 0))
}

# ------------------------------------------------------------------------- root file system

# Prints the path of a statically linked busybox: the installed one, or Debian's package unpacked.
busybox_binary() {
  local found dir=$CACHE/busybox
  found=$(command -v busybox || true)
  # the name of the loader stands near the beginning of a file that is linked dynamically
  if [[ -n $found ]] && ! head -c 2048 "$found" | grep -qa '/ld-'; then
    readlink -f "$found"
    return
  fi
  # not installed: it would put the dynamically linked one out, if that is there
  if [[ ! -x $dir/busybox ]]; then
    mkdir -p "$dir"
    say "fetching busybox-static"
    (
      cd "$dir"
      apt_quiet download busybox-static >log || { apt_quiet update && apt_quiet download busybox-static; } >log
      dpkg -x busybox-static_*.deb tree
      found=$(find tree -path '*/bin/busybox')
      rm -f ./*.deb
      mv "$found" busybox
      rm -rf tree
    ) || die "could not fetch busybox-static; see $dir/log"
  fi
  printf '%s\n' "$dir/busybox"
}

# debian_program PACKAGE PATH: prints the path of a program that needs no other package: the installed one, or the one of
# Debian's package, unpacked. Fails where there is none.
debian_program() {
  local package=$1 path=$2 name=${2##*/} dir
  dir=$CACHE/$name
  command -v "$name" && return
  if [[ ! -x $dir/$name ]]; then
    mkdir -p "$dir"
    say "fetching $name"
    (
      cd "$dir"
      apt_quiet download "$package" >log || { apt_quiet update && apt_quiet download "$package"; } >log
      dpkg -x "$package"_*.deb tree
      mv "tree/$path" "$name"
      rm -rf tree ./*.deb
    ) || return 1
  fi
  printf '%s\n' "$dir/$name"
}

# gVisor's runsc, which is linked statically, and Prometheus's promtool.
runsc_binary() { debian_program runsc usr/bin/runsc; }
promtool_binary() { debian_program prometheus usr/bin/promtool; }

# make_rootfs DIR: a root file system of busybox and its commands.
make_rootfs() {
  local busybox
  busybox=$(busybox_binary)
  mkdir -p "$1"/{bin,dev,etc,proc,root,sys,tmp,run}
  cp "$busybox" "$1/bin/busybox"
  (cd "$1/bin" && ./busybox --list | grep -vx busybox | xargs -n 1 ln -sf busybox)
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\n' >"$1/etc/group"
}

# ------------------------------------------------------------------- a containerd of our own

# new_scope: makes SCOPE (directory) and NAMESPACE, which have one unique name.
new_scope() {
  need_root
  umask 022
  SCOPE=$(mktemp -d /tmp/loom-XXXXXXXX)
  NAMESPACE=${SCOPE##*/}
  chmod 711 "$SCOPE"
  CONTAINERD_PID=
}

# containerd_start [NAME=VALUE...]: starts containerd in SCOPE; the settings go to its environment,
# which every shim inherits.
containerd_start() {
  local attempt
  mkdir -p "$SCOPE/run"
  cat >"$SCOPE/config.toml" <<-END
	version = 2
	root = "$SCOPE/root"
	state = "$SCOPE/state"
	disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
	[grpc]
	  address = "$SCOPE/containerd.sock"
	[ttrpc]
	  address = "$SCOPE/containerd.sock.ttrpc"
	[debug]
	  level = "info"
	END
  env LOOMSHIM_SCOPE="$SCOPE" "$@" containerd --config "$SCOPE/config.toml" \
    >>"$SCOPE/containerd.log" 2>&1 </dev/null &
  CONTAINERD_PID=$!
  for ((attempt = 0; attempt < 100; attempt++)); do
    if ctr --address "$SCOPE/containerd.sock" version >/dev/null 2>&1; then
      return 0
    fi
    kill -0 "$CONTAINERD_PID" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 10 "$SCOPE/containerd.log" >&2
  die "containerd does not answer"
}

# c ARGUMENT...: ctr, speaking to our containerd.
c() { ctr --address "$SCOPE/containerd.sock" --namespace "$NAMESPACE" "$@"; }

# make_image ROOTFS NAME FILE: the root file system in ROOTFS as an image NAME, in the form of docker save.
make_image() {
  local work
  work=$(mktemp -d "$SCOPE/image-XXXXXX")
  tar -C "$1" --owner=0 --group=0 -cf "$work/layer.tar" .
  printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["/bin/sleep","100000"]},"rootfs":%s}' \
    "$(dpkg --print-architecture)" \
    "{\"type\":\"layers\",\"diff_ids\":[\"sha256:$(sha256sum <"$work/layer.tar" | cut -c 1-64)\"]}" >"$work/config.json"
  printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$2" >"$work/manifest.json"
  tar -C "$work" -cf "$3" manifest.json config.json layer.tar
  rm -rf "$work"
}

# need_emulator: gets what makes and runs a machine in software; calls `skip REASON` where that cannot be.
need_emulator() {
  local package
  [[ $(uname -m) == x86_64 ]] || skip 'this one is not an x86_64'
  need_root
  command -v apt-get >/dev/null || skip 'its parts are packages of Debian'
  for package in qemu-system-x86 debootstrap debian-archive-keyring e2fsprogs; do
    (need_packages "$package") || skip "$package cannot be installed"
  done
}

# emulate SECONDS MEMORY_MIB QEMU_ARGUMENT...: runs a machine until it switches itself off; fails when it has not done so
# in time. Its console is in $out/console.log, its pid meanwhile in `qemu`, for traps. By software, which works
# everywhere, also where this machine is a virtual one itself; what is written to a snapshot of a disk goes to a file in
# $work that has no name.
# shellcheck disable=SC2154 # out and work are the caller's
emulate() {
  local limit=$1 memory=$2 started=$SECONDS in_time=true
  shift 2
  say "booting; the console is in $out/console.log"
  TMPDIR=$work setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m "$memory" \
    -nodefaults -no-reboot -display none -monitor none -serial "file:$out/console.log" "$@" \
    </dev/null >"$out/qemu.log" 2>&1 &
  qemu=$!
  gone_within "$qemu" "$limit" || in_time=false
  kill -KILL "$qemu" 2>/dev/null || true
  wait "$qemu" 2>/dev/null || true
  qemu=
  say "the machine ran for $((SECONDS - started)) s"
  $in_time
}

# Waits up to $2 seconds for process $1 to be gone.
gone_within() {
  local attempt
  for ((attempt = 0; attempt < $2 * 10; attempt++)); do
    [[ -d /proc/$1 ]] || return 0
    sleep 0.1
  done
  return 1
}

# The pids of what belongs to this scope: it has our mark in its environment, our directory in its
# arguments, or lives in our cgroups.
scope_pids() {
  {
    grep -lsF "LOOMSHIM_SCOPE=$SCOPE" /proc/[0-9]*/environ || true
    grep -lsF "$SCOPE/" /proc/[0-9]*/cmdline || true
    grep -lsF "/$NAMESPACE" /proc/[0-9]*/cgroup || true
  } | cut -d / -f 3 | sort -un | grep -vx -e "$$" -e "$BASHPID" || true
}

scope_mounts() { cut -d ' ' -f 5 /proc/self/mountinfo | grep -F "$SCOPE/" | sort -r || true; }

# Deepest first, as rmdir wants them.
scope_cgroups() { find /sys/fs/cgroup -depth -type d -path "*/$NAMESPACE*" 2>/dev/null || true; }

# The sockets of the shims, as they wrote them into their bundles, and all bound below SCOPE.
scope_sockets() {
  {
    [[ ! -r $SCOPE/sockets ]] || cat "$SCOPE/sockets"
    awk -v scope="$SCOPE/" 'index($8, scope) == 1 { print $8 }' /proc/net/unix
  } | sort -u
}

remember_sockets() {
  local file address
  for file in "$SCOPE"/state/io.containerd.runtime.v2.task/*/*/address "$SCOPE"/bundles/*/address; do
    [[ -r $file ]] || continue
    address=$(<"$file")
    printf '%s\n' "${address#unix://}" >>"$SCOPE/sockets"
  done
}

# leftovers: one line for each process, mount, cgroup and socket of this scope that is still there.
# A network namespace without a process or a mount that holds it does not exist.
leftovers() {
  local pid path
  for pid in $(scope_pids); do
    printf 'process %s %s\n' "$pid" "$(tr '\0' ' ' 2>/dev/null </proc/"$pid"/cmdline | cut -c 1-120)"
  done
  while read -r path; do printf 'mount %s\n' "$path"; done < <(scope_mounts)
  while read -r path; do printf 'cgroup %s\n' "$path"; done < <(scope_cgroups)
  while read -r path; do
    [[ ! -S $path ]] || printf 'socket %s\n' "$path"
  done < <(scope_sockets)
}

# tasks_remove: kills and deletes every task and container of our containerd.
tasks_remove() {
  local namespace id
  for namespace in $(timeout 10 ctr --address "$SCOPE/containerd.sock" namespaces ls -q 2>/dev/null); do
    for id in $(timeout 10 ctr --address "$SCOPE/containerd.sock" -n "$namespace" tasks ls -q 2>/dev/null); do
      timeout 20 ctr --address "$SCOPE/containerd.sock" -n "$namespace" tasks rm -f "$id" >/dev/null 2>&1 || true
    done
    for id in $(timeout 10 ctr --address "$SCOPE/containerd.sock" -n "$namespace" containers ls -q 2>/dev/null); do
      timeout 20 ctr --address "$SCOPE/containerd.sock" -n "$namespace" containers rm "$id" >/dev/null 2>&1 || true
    done
  done
}

# containerd_stop: ends our containerd.
containerd_stop() {
  [[ -n ${CONTAINERD_PID-} ]] || return 0
  kill -TERM "$CONTAINERD_PID" 2>/dev/null || true
  gone_within "$CONTAINERD_PID" 10 || kill -KILL "$CONTAINERD_PID" 2>/dev/null || true
  wait "$CONTAINERD_PID" 2>/dev/null || true
  CONTAINERD_PID=
}

# end_scope: whatever happened before, nothing of this scope is left afterwards. For traps.
end_scope() {
  local pid path
  [[ -d ${SCOPE-} ]] || return 0
  remember_sockets
  [[ -z ${CONTAINERD_PID-} ]] || tasks_remove
  containerd_stop
  for pid in $(scope_pids); do
    kill -KILL "$pid" 2>/dev/null || true
  done
  for pid in $(scope_pids); do
    gone_within "$pid" 5 || say "process $pid does not end"
  done
  while read -r path; do umount -l "$path" || true; done < <(scope_mounts)
  while read -r path; do rmdir "$path" 2>/dev/null || true; done < <(scope_cgroups)
  while read -r path; do rm -f "$path"; done < <(scope_sockets)
  # what runc knew of containers that nobody could delete any more
  rm -rf /run/containerd/runc/"${NAMESPACE:?}" /run/containerd/runc/"${NAMESPACE:?}"-*
  rm -rf "$SCOPE"
}
