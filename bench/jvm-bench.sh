#!/usr/bin/env bash
# Measures what releases and options of the JVM cost a daemon: processor time to the end of its first container, memory
# with one container, classes. Gets what is missing first (Debian, root).
#
#   bench/jvm-bench.sh [--jdk N,...] [--variants NAME,...] [--rounds N] [--daemons N]
#
#   --jdk       releases, default 21,25,27
#   --variants  none, archive, static, cache, fixed, headers, fixed-headers (default: those that the release knows):
#               without an archive of ours; the archive that the installer makes; the same without linked classes; an
#               AOT cache (JDK 25 and newer); the archive at the address that it was made for
#               (ArchiveRelocationMode=0); compact object headers (JDK 25 and newer); both
#   --rounds    daemons of each, taking turns, default 9
#   --daemons   so many at once for the last columns, as with mode=pod, default 8
#
# Prints a table of medians; raw figures are in target/jvm-bench.csv. Processor time and counts bear a busy machine.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. bench/measure.sh
readonly VARIANTS=none,archive,static,cache,fixed,headers,fixed-headers
arguments jdk,variants,rounds,daemons "$@"
named --variants "${given[variants]-$VARIANTS}" "$VARIANTS"
rounds=${given[rounds]-9} daemons=${given[daemons]-8}
IFS=, read -ra releases <<<"${given[jdk]-21,25,27}"
IFS=, read -ra variants <<<"${given[variants]-$VARIANTS}"

need_root
need_containerd
JAVA_HOME=$(find_jdk 21 || need_jdk 21)
export JAVA_HOME
prepare target/jvm-bench-build.log
raw=$REPO/target/jvm-bench.csv
printf 'release,variant,figure,value\n' >"$raw"

# options VARIANT FILE: what java_options has, with the archive or cache of the variant.
options() {
  local headers="-XX:+UseCompactObjectHeaders -XX:SharedArchiveFile=$2" fixed=-XX:ArchiveRelocationMode=0
  case $1 in
    none | archive) ;;
    static) printf '%s' "-XX:SharedArchiveFile=$2" ;;
    cache) printf '%s' "-XX:AOTCache=$2" ;;
    fixed) printf '%s' "$fixed" ;;
    headers) printf '%s' "$headers" ;;
    fixed-headers) printf '%s' "$headers $fixed" ;;
  esac
}

# trained HOME LIBRARY OPTION...: runs the installer's training with more options.
trained() (
  # shellcheck disable=SC2034 # cold.sh reads them
  home=$2 java=$1/bin/java installed_java=none java_version=$(jdk_version "$1") java_options='' restore_signals='' blanks=' '
  shift 2
  cd /
  set +u
  # shellcheck source=/dev/null
  . "$home/cold.sh"
  jvm "$@" -cp "$home/loomshim.jar" io.loomshim.training.Training
)

# made VARIANT HOME LIBRARY FILE: makes the file that the variant needs.
made() {
  local variant=$1 home=$2 library=$3 file=$4
  case $variant in
    none | archive | fixed) ;;
    static)
      trained "$home" "$library" "-XX:DumpLoadedClassList=$file.list"
      "$home/bin/java" -Xshare:dump "-XX:SharedClassListFile=$file.list" "-XX:SharedArchiveFile=$file" \
        -XX:+UseSerialGC -cp "$library/loomshim.jar"
      ;;
    cache) trained "$home" "$library" "-XX:AOTCacheOutput=$file" ;;
    *) trained "$home" "$library" -XX:+UseCompactObjectHeaders "-XX:ArchiveClassesAtExit=$file" ;;
  esac
}

# side RELEASE VARIANT: its name, of which the runtime's name is made.
side() { printf 'jdk%s%s' "$1" "${2/-/}"; }

# prepared RELEASE VARIANT: installs the shim that way; fails, with the reason, where the release cannot do it.
prepared() {
  local name home library file log=$SCOPE/made.log
  name=$(side "$1" "$2")
  home=$(need_jdk "$1")
  if [[ $1 == 21 && $2 == *headers || $1 == 21 && $2 == cache ]]; then
    say "JDK $1 knows no $2"
    return 1
  fi
  install_side "$name" "$home" mode=container linger_seconds=0
  library=$(realpath "$SCOPE/$name/lib/loomshim/current") file=$SCOPE/$name/data
  case $2 in
    archive | fixed) ;;
    *) rm -f "$library/loomshim.jsa" ;;
  esac
  # what has just been written counts as dirty in its readers
  if ! made "$2" "$home" "$library" "$file" >"$log" 2>&1; then
    say "JDK $1 makes no $2: $(tail -n 1 "$log")"
    return 1
  fi
  sync -f "$SCOPE"
  [[ ! -e $file ]] || note "$1" "$2" file $(($(stat -c %s "$file") / 1024))
  printf 'java_options=%s\n' "$(options "$2" "$file")" >>"$SCOPE/$name/etc/loomshim.conf"
}

# ---- what is measured ----

note() { printf '%s,%s,%s,%s\n' "$1" "$2" "$3" "$4" >>"$raw"; }

# rollup PID KEY: kilobytes.
rollup() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/smaps_rollup"; }

# spent PID: microseconds that all its threads have been on a processor.
spent() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%d", sum / 1000 }'; }

# started RELEASE VARIANT: starts a container, and its daemon; sets `id` and `pid`.
started() {
  id=$1-${2:0:2}-$((number += 1))
  c run -d --null-io --read-only --runtime "io.containerd.$(side "$1" "$2").v1" --rootfs "$SCOPE/rootfs" "$id" /bin/sleep 1000
  pid=$(<"$SCOPE/state/io.containerd.runtime.v2.task/$NAMESPACE/$id/init.pid")
  pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
}

# removed ID PID
removed() {
  c task rm -f "$1" >/dev/null 2>&1
  c container rm "$1"
  gone_within "$2" 20 || die "the daemon of $1 does not end"
}

# life RELEASE VARIANT: a daemon's first container and its first exec.
life() {
  local id pid
  started "$1" "$2"
  c task exec --exec-id e "$id" /bin/true
  note "$1" "$2" cpu "$(spent "$pid")"
  note "$1" "$2" rss "$(rollup "$pid" Rss)"
  note "$1" "$2" pss "$(rollup "$pid" Pss)"
  removed "$id" "$pid"
}

# crowd RELEASE VARIANT: several daemons at once, which share what they can.
crowd() {
  local id pid ids=() pids=() i
  for ((i = 0; i < daemons; i++)); do
    started "$1" "$2"
    ids+=("$id") pids+=("$pid")
  done
  for ((i = 0; i < daemons; i++)); do
    note "$1" "$2" crowd-pss "$(rollup "${pids[i]}" Pss)"
    note "$1" "$2" crowd-own "$(rollup "${pids[i]}" Anonymous)"
  done
  for ((i = 0; i < daemons; i++)); do removed "${ids[i]}" "${pids[i]}"; done
}

# classes RELEASE VARIANT: how many classes a life loads, and where they come from.
classes() {
  local id pid log=$SCOPE/loaded conf
  conf=$SCOPE/$(side "$1" "$2")/etc/loomshim.conf
  cp "$conf" "$SCOPE/conf"
  sed -i "s|^java_options=.*|& -Xlog:class+load:file=$log|" "$conf"
  started "$1" "$2"
  c task exec --exec-id e "$id" /bin/true
  note "$1" "$2" classes "$(grep -c ' source: ' "$log")"
  note "$1" "$2" unshared "$(grep ' source: ' "$log" | grep -vc 'source: shared objects file')"
  note "$1" "$2" lambdas "$(grep -c 'Lambda' "$log")"
  removed "$id" "$pid"
  cp "$SCOPE/conf" "$conf"
  rm -f "$log"
}

# median RELEASE VARIANT FIGURE: of what is noted; nothing if there is nothing.
median() {
  grep "^$1,$2,$3," "$raw" | cut -d , -f 4 | sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

# scaled DIVISOR VALUE
scaled() { [[ -z $2 ]] || awk -v d="$1" -v v="$2" 'BEGIN { printf "%.1f", v / d }'; }

number=0 cells=()
containerd_start PATH="$PATH"
for release in "${releases[@]}"; do
  for variant in "${variants[@]}"; do
    if prepared "$release" "$variant"; then cells+=("$release $variant"); fi
  done
done
for ((round = 0; round < rounds; round++)); do
  for cell in "${cells[@]}"; do
    # shellcheck disable=SC2086 # two words
    life $cell
  done
done
for cell in "${cells[@]}"; do
  # shellcheck disable=SC2086 # two words
  classes $cell
  # shellcheck disable=SC2086 # two words
  crowd $cell
done

printf '| JDK | variant | processor time | RSS | PSS, alone | PSS, one of %d | pages of its own, one of %d | classes | not from an archive | lambdas | file |\n' \
  "$daemons" "$daemons"
printf '|---|---|---|---|---|---|---|---|---|---|---|\n'
for cell in "${cells[@]}"; do
  read -r release variant <<<"$cell"
  printf '| %s | %s | %s ms | %s MB | %s MB | %s MB | %s MB | %s | %s | %s | %s MB |\n' "$release" "$variant" \
    "$(scaled 1000 "$(median "$release" "$variant" cpu)")" "$(scaled 1024 "$(median "$release" "$variant" rss)")" \
    "$(scaled 1024 "$(median "$release" "$variant" pss)")" "$(scaled 1024 "$(median "$release" "$variant" crowd-pss)")" \
    "$(scaled 1024 "$(median "$release" "$variant" crowd-own)")" "$(median "$release" "$variant" classes)" \
    "$(median "$release" "$variant" unshared)" "$(median "$release" "$variant" lambdas)" \
    "$(scaled 1024 "$(median "$release" "$variant" file)")"
done
nothing_left
