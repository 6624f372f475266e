#!/bin/bash
# containerd 1.7.24: a configuration that adds one runtime to CRI takes runc away, which is the default runtime and stands
# in no file; `config dump` then lists the new runtime alone, and the CRI plugin is not loaded. containerd 2.1.9 keeps runc
# beside it.
#
# Guess: a table in a configuration adds to the defaults, as every other setting does, and as version 2 has it.
# Cause: version 1 decodes the file into its defaults, and a map of runtimes that the file has takes the place of the map.
# It matters to: whoever adds a runtime with a few lines, as the documents of most runtimes say. The kubelet then finds no
# CRI at all, and nothing in the added lines is wrong.
. "$(dirname "$0")/lib.sh"
need_root
unpack trixie containerd=1.7.24~ds1-6+deb13u1 -- libc6
unpack sid containerd=2.1.9+ds1-5 -- libc6
old=$T/trixie/usr/bin/containerd new=$T/sid/usr/bin/containerd
say "$("$old" --version), $("$new" --version)"

# runtimes PROGRAM PLUGIN VERSION: those of the CRI plugin when the file names another one.
runtimes() {
  printf 'version = %s\n[plugins.%s.containerd.runtimes.other]\n  runtime_type = "io.containerd.runc.v2"\n' "$3" "$2" >"$T/config.toml"
  "$1" --config "$T/config.toml" config dump 2>/dev/null |
    sed -n "s/^ *\[plugins\..*\.containerd\.runtimes\.\([a-z]*\)\]$/\1/p" | sort | tr '\n' ' '
}

# cri PROGRAM: what a containerd with that file says of its CRI plugin.
cri() {
  printf 'root = "%s/root"\nstate = "%s/state"\n[grpc]\n  address = "%s/sock"\n' "$T" "$T" "$T" >"$T/head"
  { sed -n 1p "$T/config.toml"; cat "$T/head"; sed 1d "$T/config.toml"; } >"$T/whole.toml"
  "$1" --config "$T/whole.toml" >"$T/log" 2>&1 &
  local pid=$! state=none i
  for ((i = 0; i < 100; i++)); do
    state=$("${1%containerd}ctr" --address "$T/sock" plugins ls 2>/dev/null | awk '$2 == "cri" || $1 ~ /\.cri\./ && $2 == "runtime" { print $NF; exit }') || state=''
    [[ -z $state ]] || break
    sleep 0.1
  done
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  rm -rf "$T/root" "$T/state" "$T/sock"
  printf '%s' "${state:-none}"
}
expect 'runtimes of containerd 1.7.24' 'other ' "$(runtimes "$old" '"io.containerd.grpc.v1.cri"' 2)"
expect 'its CRI plugin' 'error' "$(cri "$old")"
expect 'runtimes of containerd 2.1.9' 'other runc ' "$(runtimes "$new" "'io.containerd.cri.v1.runtime'" 3)"
expect 'its CRI plugin' 'ok' "$(cri "$new")"
verdict
