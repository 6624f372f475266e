# shellcheck shell=bash
# Helpers of the findings: a temporary folder that takes everything in and goes away again, pinned packages
# unpacked into it and not installed, and a comparison of what was expected with what was seen.
# A script ends with 0 (as found, or not applicable here), 1 (something differs) or 2 (it could not be tried).
set -euo pipefail
export LC_ALL=C.UTF-8
case ${1-} in
  -h | --help)
    # what the finding is, at its head
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  -*)
    printf 'error: unknown argument %s; see --help\n' "$1" >&2
    exit 2
    ;;
esac
T=$(mktemp -d)
differs=()

at_end() {
  set +eu
  # before the names below are local: it may use the same ones
  if declare -F cleanup >/dev/null; then cleanup >/dev/null 2>&1; fi
  local pid path
  for pid in $(jobs -p); do kill -KILL "$pid" 2>/dev/null; done
  wait
  # deepest first
  cut -d ' ' -f 5 /proc/self/mountinfo | grep -F "$T/" | sort -r | while read -r path; do umount -l "$path"; done
  rm -rf "$T"
}
trap at_end EXIT
trap 'exit 130' INT TERM HUP

say() { printf '%s\n' "$*"; }
skip() { say "skipped: $*"; exit 0; }
cannot() { say "not tried: $*"; exit 2; }

# expect WHAT WANTED SEEN: prints what was seen, and keeps it in mind when it is not what was wanted.
expect() {
  printf '  %-66s %s\n' "$1" "$3"
  [[ $2 == "$3" ]] || differs+=("$1: $3 instead of $2")
}

# verdict: the last line of each script.
verdict() {
  if ((${#differs[@]} == 0)); then
    say 'as found'
    exit 0
  fi
  printf 'differs: %s\n' "${differs[@]}"
  exit 1
}

need_root() { [[ $(id -u) == 0 ]] || cannot 'this needs root'; }
need_commands() {
  local name
  for name; do command -v "$name" >/dev/null || cannot "there is no $name here"; done
}

# own_mounts "$@": what is mounted or unmounted from here on is so for this script alone.
own_mounts() {
  need_commands unshare
  [[ ${1-} != inside ]] || return 0
  rm -rf "$T"
  exec unshare --mount "$0" inside
}

# kernel_at_least 6.15
kernel_at_least() { printf '%s\n%s\n' "$1" "$(uname -r)" | sort -CV; }

# compile NAME [OPTION...]: C from standard input becomes $T/NAME.
compile() {
  need_commands gcc
  gcc -O1 -x c -o "$T/$1" - "${@:2}"
}

# suite_apt SUITE ARGUMENT...: apt-get with a state of its own that knows that suite of Debian alone.
suite_apt() {
  local dir=$T/apt-$1 mirror
  need_commands apt-get dpkg
  if [[ ! -d $dir ]]; then
    mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' | sed -n 's/^Debian //p' | sort -u | head -n 1)
    [[ -n $mirror ]] || cannot 'the package lists are empty: run apt-get update first'
    mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
    : >"$dir/state/status"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$1" >"$dir/sources"
    suite_apt "$1" update || cannot "the package lists of $1 cannot be read"
  fi
  apt-get -qq -y -o Dir::State="$dir/state" -o Dir::State::status="$dir/state/status" -o Dir::Cache="$dir/cache" \
    -o Dir::Etc::sourcelist="$dir/sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root \
    --no-install-recommends "${@:2}" </dev/null >>"$T/apt.log" 2>&1
}

# unpack SUITE PACKAGE=VERSION... [-- PACKAGE...]: into $T/SUITE. What comes after -- is needed to run it, in any
# version; `-- all` means everything that the packages depend on.
unpack() {
  local suite=$1 pinned=() others=() file package
  shift
  while (($#)) && [[ $1 != -- ]]; do pinned+=("$1"); shift; done
  others=("${@:2}")
  mkdir -p "$T/debs-$suite"
  suite_apt "$suite" check
  for package in "${pinned[@]}"; do
    (cd "$T/debs-$suite" && suite_apt "$suite" download "$package") ||
      cannot "Debian $suite has no $package any more: put the version that it has now into this script"
  done
  if [[ ${others[*]-} == all ]]; then
    suite_apt "$suite" install --download-only "${pinned[@]}" && mv "$T/apt-$suite"/cache/archives/*.deb "$T/debs-$suite"
  elif ((${#others[@]})); then
    (cd "$T/debs-$suite" && suite_apt "$suite" download "${others[@]}")
  fi || cannot "Debian $suite lacks something of ${others[*]}"
  for file in "$T/debs-$suite"/*.deb; do dpkg -x "$file" "$T/$suite"; done
  rm -rf "$T/debs-$suite"
}

# own_libc SUITE FILE...: these programs of $T/SUITE run on the libc of that suite, which must be unpacked.
own_libc() {
  local loader libraries file
  [[ -e $T/$1/usr/bin/patchelf ]] || unpack "$1" -- patchelf libc6 libstdc++6 libgcc-s1
  loader=$(find "$T/$1/usr/lib" -name 'ld-linux-*.so.*' -print -quit)
  libraries=${loader%/*}
  for file in "${@:2}"; do
    "$loader" --library-path "$libraries" "$T/$1/usr/bin/patchelf" --set-interpreter "$loader" --force-rpath \
      --set-rpath "${file%/bin/*}/lib:$libraries" "$file"
  done
}

# jdk 21|25|27: JAVA becomes the path of java, which compiles a source file by itself.
jdk() {
  local suite=trixie version home link
  need_root
  case $1 in
    21) version=21.0.13+9-1~deb13u2 ;;
    25) version=25.0.5+8-1~deb13u1 ;;
    27) suite=forky version=27~34ea-1 ;;
  esac
  unpack "$suite" "openjdk-$1-jre-headless=$version" -- patchelf libc6 libstdc++6 libgcc-s1 zlib1g libjpeg62-turbo liblcms2-2
  home=$(echo "$T/$suite/usr/lib/jvm/java-$1-openjdk-"*)
  while read -r link; do
    cp -rL --remove-destination "$T/$suite$(readlink "$link")" "$link" 2>/dev/null || rm "$link"
  done < <(find "$home" -type l -lname '/etc/*')
  own_libc "$suite" "$home/bin/java" "$home/lib/jspawnhelper"
  JAVA=$home/bin/java
  say "JDK $("$JAVA" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.vm.version = //p'), Linux $(uname -r)"
}

# jar GROUP:ARTIFACT:VERSION[:TYPE[:CLASSIFIER]]...: into $T/jars.
jar() {
  local artifact
  need_commands mvn
  for artifact; do
    mvn -q -B -Dmaven.repo.local="$T/m2" dependency:copy -Dartifact="$artifact" -DoutputDirectory="$T/jars" >"$T/mvn.log" 2>&1 ||
      cannot "Maven cannot fetch $artifact"
  done
}
