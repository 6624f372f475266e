# shellcheck shell=bash
# What the benchmarks share: the names on the command line, getting ready to measure, a variant of the shim, the
# program that measures, and taking everything away again. Source it after lib.sh, in the root of the repository.

# What is printed at the very end; nothing if empty.
last_line=

# What the command line gives: values by the names of their options; `size` is quick, full or smoke.
declare -A given

# arguments OPTION,... ARGUMENT...: reads the command line of a benchmark; each OPTION takes a value.
arguments() {
  local options=,$1,
  shift
  while (($#)); do
    case $1 in
      --quick | --full | --smoke) given[size]=${1#--} ;;
      -h | --help)
        usage
        exit 0
        ;;
      --*)
        [[ $options == *",${1#--},"* ]] || refuse "unknown argument $1"
        [[ -n ${2-} ]] || refuse "$1 needs a value"
        given[${1#--}]=$2
        shift
        ;;
      *) refuse "unknown argument $1" ;;
    esac
    shift
  done
}

# named OPTION GIVEN ALL: every name that OPTION was GIVEN is one of ALL; commas between them.
named() {
  local name
  while read -rd , name; do
    [[ ,$3, == *",$name,"* ]] || refuse "$1 ${2@Q}: ${name:-an empty name} is not one of ${3//,/, }"
  done <<<"$2,"
}

# build_of DIR: the commit of a checkout, with a mark if it was changed; without git what the build has noted.
build_of() {
  git -C "$1" describe --always --dirty --abbrev=12 2>/dev/null || sed -n 's/^revision=//p' "$1/target/loomshim/lib/version"
}

# again REPORT PUBLISHER: with --report and --publish the figures of an earlier run, without measuring anything;
# then there is nothing more to do.
again() {
  local directory=${given[publish]-${given[report]-}}
  [[ -n $directory ]] || return 0
  [[ -r $directory/raw.csv ]] || die "no raw.csv in $directory"
  JAVA_HOME=$(find_jdk 21) || die "no JDK 21 or newer; set JAVA_HOME"
  export JAVA_HOME
  ./mvnw -q -B test-compile </dev/null || die "the build failed"
  "$JAVA_HOME/bin/java" -cp target/test-classes "io.loomshim.bench.$1" "$directory"
  [[ -z ${given[publish]-} ]] || "$JAVA_HOME/bin/java" -cp target/test-classes "io.loomshim.bench.$2" "$directory" .
  exit 0
}

# go_shims SIDE,...: the Go shims among the sides are there.
go_shims() {
  local IFS=, side program
  for side in $1; do
    program=${side%-group}
    [[ $side != runc.* ]] || need_command "containerd-shim-${program//./-}" containerd
  done
}

# need_sides SIDE,...: root, a JDK from 21 on as JAVA_HOME, containerd, and the Go shims among the sides.
need_sides() {
  need_root
  need_packages ca-certificates
  JAVA_HOME=$(find_jdk 21 || need_jdk 21)
  export JAVA_HOME
  need_containerd
  go_shims "$1"
}

# prepare LOG: the build, and a SCOPE with a root file system, a bundle to fill in, and the programs as they are now.
# Whatever ends us from here on, nothing of this run stays.
prepare() {
  ./mvnw -q -B -DskipTests package >"$1" 2>&1 </dev/null || die "the build failed: $1"
  measuring=
  new_scope
  trap finish EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$SCOPE/spec" "$SCOPE/classes/io/loomshim" "$SCOPE/bin"
  make_rootfs "$SCOPE/rootfs"
  (cd "$SCOPE/spec" && runc spec)
  sed -i -e 's/"terminal": true/"terminal": false/' -e "s|\"path\": \"rootfs\"|\"path\": \"$SCOPE/rootfs\"|" \
    -e 's|^\(\t*\)"sh"$|\1@ARGS@|' -e "s|\"linux\": {|\"linux\": {\"cgroupsPath\": \"/$NAMESPACE/@ID@\",|" \
    "$SCOPE/spec/config.json"
  # without the tests that they were compiled with
  cp -R target/test-classes/io/loomshim/bench "$SCOPE/classes/io/loomshim/"
  class_path=$SCOPE/classes$(printf ':%s' "$PWD"/target/loomshim/lib/*.jar)
  export PATH=$SCOPE/bin:$PATH
}

# First what starts containers ends, then containerd, which would tell of tasks that go; then
# everything that has our mark.
finish() {
  local status=$?
  trap '' INT TERM HUP
  if [[ -n $measuring ]]; then
    say "ending what runs"
    kill -KILL "$measuring" 2>/dev/null || true
    wait "$measuring" 2>/dev/null || true
    remember_sockets
    containerd_stop
  fi
  end_scope
  [[ -z $last_line ]] || printf '%s\n' "$last_line"
  exit "$status"
}

# install_side SIDE JDK SETTING...: our shim in a prefix of its own with these settings, as the runtime
# io.containerd.SIDE.v1, the name without its hyphens. Of this checkout, or of the one that `checkout` names, or by the
# program that `installer` names.
install_side() {
  local prefix=$SCOPE/$1 name=${1//-/} jdk=$2
  mkdir -p "$prefix/etc"
  printf '%s\n' "run_dir=$SCOPE/r/$1" "${@:3}" >"$prefix/etc/loomshim.conf"
  local installer=${installer:-${checkout:-.}/packaging/install.sh}
  # where it was in earlier commits
  [[ -x $installer ]] || installer=${checkout:-.}/integration/install.sh
  "$installer" --prefix "$prefix" --java "$jdk/bin/java" >/dev/null
  ln -s "$prefix/bin/containerd-shim-loom-v1" "$SCOPE/bin/containerd-shim-$name-v1"
}

# measure CLASS ARGUMENT...: runs a program of io.loomshim.bench; its status.
measure() {
  local status=0 quiet=(--enable-native-access=ALL-UNNAMED)
  (($(jdk_version "$JAVA_HOME") < 24)) || quiet+=(--sun-misc-unsafe-memory-access=allow)
  quiet+=("-Dloomshim.bench.minutes=${given[minutes]-6}")
  quiet+=("-Dorg.slf4j.simpleLogger.showThreadName=false" "-Dorg.slf4j.simpleLogger.showLogName=false")
  # a copy: a page that two JVMs have mapped counts half for each of them, so on the same files this program would make
  # the daemons of one JDK look smaller than they are
  mkdir "$SCOPE/client"
  tar -C "$JAVA_HOME" --create --exclude=./jmods --exclude=./lib/src.zip . | tar -C "$SCOPE/client" --extract
  # in the background: a trap must not have to wait for it
  "$SCOPE/client/bin/java" -Xmx512m -XX:+UseSerialGC "${quiet[@]}" \
    "-Djffi.boot.library.path=$PWD/target/loomshim/lib/jni/$(uname -m)-Linux" \
    "-Dbench.build=$(build_of .)" ${LOAD_BEFORE:+"-Dbench.load=$LOAD_BEFORE"} -cp "$class_path" "io.loomshim.bench.$1" "${@:2}" </dev/null &
  measuring=$!
  wait "$measuring" || status=$?
  measuring=
  return "$status"
}

# nothing_left: takes everything away and says what could not be.
nothing_left() {
  local left
  end_scope
  left=$(leftovers)
  [[ -z $left ]] || die "left behind: $left"
}
