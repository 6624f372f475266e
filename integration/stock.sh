#!/usr/bin/env bash
# Runs packaging/kubernetes/configure.sh on the configurations of containerd that people have, with containerd 1.6, 1.7
# and 2.1: each of them loads CRI afterwards and still knows its other runtimes, and --undo restores every byte.
# The configurations lie where they belong, in a mount and a pid namespace, so containerd runs without an argument.
#
#   integration/stock.sh [SUITE...]        bookworm, trixie, sid: the Debians whose containerd it is
#
# The last line is the sum: `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"
readonly CONFIGURE=$REPO/packaging/kubernetes/configure.sh

if [[ ${1-} != --inside ]]; then
  case ${1-} in
    -h | --help)
      usage
      exit 0
      ;;
    -*) refuse "unknown argument $1" ;;
  esac
  need_root
  need_containerd
  suites=("$@")
  ((${#suites[@]})) || suites=(bookworm trixie sid)
  if [[ ! -x target/loomshim/bin/containerd-shim-loom-v1 ]]; then
    JAVA_HOME=$(find_jdk 21 || need_jdk 25) ./mvnw -q -B -ntp -DskipTests package </dev/null
  fi
  programs=()
  for suite in "${suites[@]}"; do
    # what is installed needs no second copy
    if [[ $suite == bookworm && $(containerd --version) == *' 1.6.'* ]]; then
      programs+=("$(readlink -f "$(command -v containerd)")")
    else
      programs+=("$(need_suite "$suite")/containerd/containerd")
    fi
  done
  # with the first process of the pid namespace all others in it end
  exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$PROGRAM" --inside "${programs[@]}"
fi
shift

# ------------------------------------------------------------------------------ a machine
exec 8<"$REPO"
for directory in /run /opt /var/lib /mnt /tmp; do
  mount -t tmpfs -o mode=755 tmpfs "$directory"
done
if [[ ! -e $CONFIGURE ]]; then
  # this source lies below one of them
  mkdir -p "$REPO"
  mount --no-canonicalize --bind /proc/self/fd/8 "$REPO"
fi
exec 8<&-
mkdir /mnt/etc /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/etc,workdir=/mnt/work /etc
PATH=$REPO/target/loomshim/bin:$PATH
readonly ETC=/etc/containerd K3S=/var/lib/rancher/k3s/agent/etc/containerd MORE=/opt/more
readonly TYPE2='plugins."io.containerd.grpc.v1.cri".containerd.runtimes' TYPE3="plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes"
config=$ETC/config.toml socket=/run/containerd/containerd.sock
passed=0 failed=0 previous=''

# plugins FILE: starts containerd, with that file unless it is the usual one, and prints its plugins.
plugins() {
  local pid arguments=() i
  [[ $1 == "$ETC/config.toml" ]] || arguments=(--config "$1")
  "$containerd" "${arguments[@]}" >/mnt/log 2>&1 </dev/null &
  pid=$!
  for ((i = 0; i < 400; i++)); do
    if [[ -S $socket ]] && "${containerd%/*}/ctr" --address "$socket" plugins ls 2>/dev/null; then break; fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  rm -f "$socket"
}
loads_cri() {
  plugins "$1" | awk '$1 == "io.containerd.grpc.v1" && $2 == "cri" && $NF == "ok" { found = 1 } END { exit !found }' || {
    tail -n 5 /mnt/log
    return 1
  }
}

# kept NAME: copies all files that a configuration is made of.
kept() {
  local directory
  rm -rf "/mnt/${1:?}"
  mkdir "/mnt/$1"
  for directory in "$ETC" "$K3S" "$MORE"; do
    [[ ! -d $directory ]] || { mkdir -p "/mnt/$1$directory" && cp -a "$directory/." "/mnt/$1$directory"; }
  done
  (cd "/mnt/$1" && find . -printf '%p %y %m %u\n' | sort) >"/mnt/$1.names"
}
same() { diff "/mnt/$1.names" "/mnt/$2.names" && diff -r "/mnt/$1" "/mnt/$2"; }

# rendered: what k3s makes of its template.
rendered() {
  local template=$K3S/config.toml.tmpl
  [[ ! -e $K3S/config-v3.toml.tmpl ]] || template=$K3S/config-v3.toml.tmpl
  if [[ ! -e $template ]]; then
    cp /mnt/base "$K3S/config.toml"
    return
  fi
  sed -e '/{{ template "base" . }}/{r /mnt/base' -e 'd}' "$template" >"$K3S/config.toml"
}

# round ARGUMENT...: configure.sh, and back. Where `again` is true, a second run changes nothing.
round() {
  local text runtime
  kept before
  "$CONFIGURE" --config "$config" --containerd "$containerd" "$@" >/mnt/said 2>&1 || {
    cat /mnt/said
    return 1
  }
  [[ $config == $ETC/* ]] || rendered
  kept first
  loads_cri "${config%/*}/config.toml"
  text=$("$containerd" --config "${config%/*}/config.toml" config dump 2>/dev/null)
  for runtime in loom runc; do
    grep -q "runtimes.$runtime\]" <<<"$text" || {
      printf 'no %s\n%s\n' "$runtime" "$text"
      return 1
    }
  done
  if ${again:-false}; then
    "$CONFIGURE" --config "$config" --containerd "$containerd" --no-trial "$@"
    [[ $config == $ETC/* ]] || rendered
    kept second
    same first second
  fi
  "$CONFIGURE" --undo --config "$config"
  [[ $config == $ETC/* ]] || rendered
  kept after
  same before after
}

# What a test has made goes.
checked() { rm -rf "$ETC" "${K3S%%/k3s*}" "$MORE" /run/containerd; }

# with TEXT...: writes it as the configuration; the last line has an end only if the text has one.
with() {
  mkdir -p "${config%/*}"
  printf '%s' "$@" >"$config"
}
refused() {
  local output
  kept before
  ! output=$("$CONFIGURE" --config "$config" --containerd "$containerd" "${@:2}" 2>&1) || return 1
  printf '%s\n' "$output"
  [[ $output == *"$1"* ]]
  kept after
  same before after
}

# ------------------------------------------------------------------- the configurations

missing() { round; }
empty() {
  with ''
  round
}
# what Debian's package has since containerd 1.4
debian() {
  with 'version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd/opt"
'
  loads_cri "$config"
  round
}
default() {
  local again=true
  with "$("$containerd" config default 2>/dev/null)" $'\n'
  loads_cri "$config"
  round
}
default_of_before() {
  with "$("$1" config default 2>/dev/null)" $'\n'
  round
}
systemd() {
  with "$("$containerd" config default 2>/dev/null | sed 's/SystemdCgroup = false/SystemdCgroup = true/')"
  round
  "$CONFIGURE" --config "$config" --containerd "$containerd" --no-trial
  grep -rq 'SystemdCgroup = true' "$ETC"/conf.d "$ETC"/loomshim-options.toml
}
docker() {
  local again=true
  with "$1" '#   Copyright 2018-2022 Docker Inc.

disabled_plugins = ["cri"]

#root = "/var/lib/containerd"
#[grpc]
#  address = "/run/containerd/containerd.sock"
'
  if loads_cri "$config"; then return 1; fi
  round
  grep -q 'CRI was disabled .*, and is enabled now' /mnt/said
}
on_purpose() {
  with $'# not here\r\nversion = 2\ndisabled_plugins = [ # these\n  "io.containerd.snapshotter.v1.zfs", "io.containerd.grpc.v1.cri",\n]\n' \
    '[plugins."io.containerd.grpc.v1.cri"]
  max_container_log_line_size = 4711'
  if loads_cri "$config"; then return 1; fi
  refused --enable-cri
  round --enable-cri
  grep -qxF 'disabled_plugins = ["io.containerd.snapshotter.v1.zfs"]' "/mnt/first$config"
}
# another program's file in a directory, as one for a GPU has it
imports() {
  with "version = 2
imports = [\"$ETC/conf.d/*.toml\"]
[plugins.\"io.containerd.grpc.v1.cri\"]
  max_container_log_line_size = 4711
"
  mkdir "$ETC/conf.d"
  printf '%s\n' 'version = 2' "[$TYPE2.runc]" '  runtime_type = "io.containerd.runc.v2"' \
    "[$TYPE2.other]" '  runtime_type = "io.containerd.other.v1"' >"$ETC/conf.d/99-other.toml"
  loads_cri "$config"
  round
  "$CONFIGURE" --config "$config" --containerd "$containerd" --no-trial
  "$containerd" --config "$config" config dump | grep -q 'runtimes.other\]'
}
# one file that is named, as kata-deploy does
import_of_one() {
  mkdir "$MORE"
  with "version = 2
imports = [\"$MORE/one.toml\"]
"
  printf 'version = 2\n[%s.runc]\n  runtime_type = "io.containerd.runc.v2"\n[%s.kata]\n  runtime_type = "io.containerd.kata.v2"' \
    "$TYPE2" "$TYPE2" >"$MORE/one.toml"
  round
}
version_1() {
  with 'oom_score = -999
[plugins.cri]
  max_container_log_line_size = 4711
[plugins.cri.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
'
  loads_cri "$config"
  round
}
taken_back() {
  with "version = $1
[$2.containerd]
  default_runtime_name = \"none\"
"
  refused 'does not load CRI'
}
# k3s VERSION FILE [SUFFIX [own [imports]]]: a node of k3s, whose files are of this version; its configuration is FILE. The
# names of its template and of its directory have the SUFFIX; `own` has a template already, `imports` the directory that
# k3s has since February 2026 for version 2 too.
k3s() {
  local config=$K3S/$2 socket=/run/k3s/containerd/containerd.sock names=$TYPE2 again=true
  mkdir -p "$K3S" /run/k3s/containerd
  {
    printf '# File generated by k3s. DO NOT EDIT. Use config%s.toml.tmpl instead.\nversion = %s\n' "${3-}" "$1"
    [[ $1 == 2 ]] || names=$TYPE3
    [[ $1 == 2 && ${5-} != imports ]] || printf 'imports = ["%s/config%s.toml.d/*.toml"]\n' "$K3S" "${3-}"
    printf 'root = "/var/lib/rancher/k3s/agent/containerd"\nstate = "/run/k3s/containerd"\n[grpc]\n  address = "%s"\n' "$socket"
    printf '[plugins."io.containerd.grpc.v1.cri"]\n  stream_server_address = "127.0.0.1"\n  stream_server_port = "10010"\n'
    printf '[%s.runc]\n  runtime_type = "io.containerd.runc.v2"\n[%s.runc.options]\n  SystemdCgroup = true\n' "$names" "$names"
  } >/mnt/base
  cp /mnt/base "$K3S/config.toml"
  if [[ ${4-} == own ]]; then
    printf '{{ template "base" . }}\n[debug]\n  level = "warn"' >"$K3S/config${3-}.toml.tmpl"
    rendered
  fi
  round
}

for containerd in "$@"; do
  version=$("$containerd" --version | grep -oE ' v?[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 | tr -d ' v')
  CHECK_ABOUT="$version "
  check 'no configuration' missing
  check 'an empty file' empty
  check "Debian's" debian
  check 'containerd config default' default
  check 'containerd config default with cgroups of systemd' systemd
  check "Docker's" docker ''
  check "Docker's with version 1" docker $'version = 1\n'
  check 'CRI disabled on purpose' on_purpose
  check 'a directory with a file of another runtime' imports
  check 'one imported file' import_of_one
  if [[ $version == 1.* ]]; then
    check 'settings of version 1' version_1
    check 'a default runtime that is not there' taken_back 2 'plugins."io.containerd.grpc.v1.cri"'
  else
    check 'a default runtime that is not there' taken_back 3 "plugins.'io.containerd.cri.v1.runtime'"
    [[ -z $previous ]] || check 'containerd config default of a version before' default_of_before "$previous"
    check 'k3s with its directory' k3s 3 config.toml -v3
    check "k3s' template" k3s 3 config-v3.toml.tmpl -v3
    check "k3s' template with lines of its own" k3s 3 config-v3.toml.tmpl -v3 own
  fi
  check 'k3s before containerd 2' k3s 2 config.toml
  check 'k3s before containerd 2, with its directory' k3s 2 config.toml '' '' imports
  check "k3s' template of version 2, with lines of its own" k3s 2 config.toml.tmpl '' own
  previous=$containerd
done

printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
((failed == 0))
