# shellcheck shell=bash
# What the benchmarks share: get ready to measure, install a variant of the shim, run the program that
# measures, and take everything away again. Source it after lib.sh, in the root of the repository.

# What is printed at the very end; nothing if empty.
last_line=

# compile DIR CLASSPATH: the programs of the benchmarks.
compile() {
  "$JAVA_HOME/bin/javac" -nowarn -d "$1" -cp "$2" integration/bench/*.java integration/bench/loom/*.java
}

# again DIR REPORT [PUBLISHER]: the figures of an earlier run, without measuring anything.
again() {
  local classes
  [[ -r $1/raw.csv ]] || die "no raw.csv in $1"
  JAVA_HOME=$(find_jdk 21) || die "no JDK 21 or newer; set JAVA_HOME"
  export JAVA_HOME
  [[ -e target/loomshim/lib/loomshim.jar ]] || ./mvnw -q -B -DskipTests package </dev/null
  classes=$(mktemp -d)
  # shellcheck disable=SC2064 # this one
  trap "rm -rf '$classes'" EXIT
  compile "$classes" "$(printf '%s:' target/loomshim/lib/*.jar)"
  "$JAVA_HOME/bin/java" -cp "$classes" "$2" "$1"
  [[ -z ${3-} ]] || "$JAVA_HOME/bin/java" -cp "$classes" "$3" "$1" .
}

# go_shims SIDE,...: the Go shims among the sides are there.
go_shims() {
  local IFS=, side program
  for side in $1; do
    program=${side%-group}
    [[ $side != runc.* ]] || need_command "containerd-shim-${program//./-}" containerd
  done
}

# prepare LOG: the build, and a SCOPE with a root file system, a bundle to fill in, and the compiled
# programs. Whatever ends us from here on, nothing of this run stays.
prepare() {
  ./mvnw -q -B -DskipTests package >"$1" 2>&1 </dev/null || die "the build failed: $1"
  measuring=
  new_scope
  trap finish EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$SCOPE/spec" "$SCOPE/classes" "$SCOPE/bin"
  make_rootfs "$SCOPE/rootfs"
  (cd "$SCOPE/spec" && runc spec)
  sed -i -e 's/"terminal": true/"terminal": false/' -e "s|\"path\": \"rootfs\"|\"path\": \"$SCOPE/rootfs\"|" \
    -e 's|^\(\t*\)"sh"$|\1@ARGS@|' -e "s|\"linux\": {|\"linux\": {\"cgroupsPath\": \"/$NAMESPACE/@ID@\",|" \
    "$SCOPE/spec/config.json"
  class_path=$(printf '%s:' "$PWD"/target/loomshim/lib/*.jar)
  compile "$SCOPE/classes" "$class_path"
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
# io.containerd.SIDE.v1, the name without its hyphens. Of this checkout, or of the one that `checkout` names.
install_side() {
  local prefix=$SCOPE/$1 name=${1//-/} jdk=$2
  mkdir -p "$prefix/etc"
  printf '%s\n' "run_dir=$SCOPE/r/$1" "${@:3}" >"$prefix/etc/loomshim.conf"
  "${checkout:-.}/integration/install.sh" --prefix "$prefix" --java "$jdk/bin/java" >/dev/null
  ln -s "$prefix/bin/containerd-shim-loom-v1" "$SCOPE/bin/containerd-shim-$name-v1"
}

# measure CLASS ARGUMENT...: runs a program; its status.
measure() {
  local status=0 quiet=(--enable-native-access=ALL-UNNAMED)
  (($(jdk_version "$JAVA_HOME") < 24)) || quiet+=(--sun-misc-unsafe-memory-access=allow)
  # in the background: a trap must not have to wait for it
  "$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC "${quiet[@]}" \
    "-Djffi.boot.library.path=$PWD/target/loomshim/lib/jni/$(uname -m)-Linux" \
    -cp "$SCOPE/classes:$class_path" "$@" </dev/null &
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
