#!/usr/bin/env bash
# Makes loomshim a runtime of containerd's CRI plugin, for Kubernetes, and takes that back. It needs no other file.
#
#   configure.sh [--config FILE] [--containerd PROGRAM] [--handler NAME] [--runtime-path FILE] [--option KEY=VALUE]...
#   configure.sh --undo [--config FILE] [--containerd PROGRAM]
#
#   --config FILE        containerd's configuration; /etc/containerd/config.toml without it. One that is missing is made.
#   --containerd PROGRAM the containerd that reads it; the one in the PATH without it
#   --handler NAME       what a RuntimeClass has as its handler; loom without it
#   --runtime-path FILE  the shim as runtime_path of type io.containerd.runc.v2, where it is not in containerd's PATH
#   --option KEY=VALUE   an option for runc, such as BinaryName=/usr/bin/crun, Root=/run/loom or SystemdCgroup=true
#
# For containerd 2 it writes a file conf.d/loomshim.toml beside FILE, and a line `imports` into FILE where it has none.
# containerd 1 would take the tables of such a file in place of FILE's own, so there the lines go to the end of FILE.
# Nothing is written when containerd could not read the result, or would lose a setting that it has now. containerd
# reads its configuration when it starts: restart it afterwards. Running it again replaces what it wrote before.
set -euo pipefail

readonly BEGIN='# loomshim: begin (configure.sh --undo takes it away)'
readonly END='# loomshim: end'
readonly TYPE=io.containerd.loom.v1

config=/etc/containerd/config.toml containerd=containerd handler=loom runtime_path='' undo=false options=()

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

while (($#)); do
  case $1 in
    --undo) undo=true ;;
    --config | --containerd | --handler | --runtime-path | --option)
      [[ -n ${2-} ]] || die "$1 needs a value"
      case $1 in
        --config) config=$2 ;;
        --containerd) containerd=$2 ;;
        --handler) handler=$2 ;;
        --runtime-path) runtime_path=$2 ;;
        --option) options+=("$2") ;;
      esac
      shift
      ;;
    *)
      sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
      [[ $1 == -h || $1 == --help ]] && exit 0
      exit 2
      ;;
  esac
  shift
done
# what a RuntimeClass may name: the label of RFC 1123
[[ $handler =~ ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$ ]] || die "\"$handler\" is no name of a handler"
[[ -z $runtime_path || -x $runtime_path && $runtime_path == /* ]] || die "$runtime_path is no path of a program"
command -v "$containerd" >/dev/null || die "there is no $containerd"

number=$("$containerd" --version | grep -oE ' v?[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 | tr -d ' v') ||
  die "$containerd does not tell its version"
major=${number%%.*} minor=${number#*.} minor=${minor%%.*}
[[ -z $runtime_path ]] || ((major > 1 || minor >= 7)) ||
  die "the CRI plugin of containerd $number takes no notice of runtime_path; that of 1.7 does"

directory=$(dirname "$config")
directory=$(cd "$directory" && pwd) || die "there is no directory for $config"
config=$directory/$(basename "$config")
options_file=$directory/loomshim-options.toml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# dump FILE: prints the configuration that containerd makes of it.
dump() { "$containerd" --config "$1" config dump 2>"$work/errors"; }

# stripped FILE: prints it without what this script has written.
stripped() { awk -v begin="$BEGIN" -v end="$END" '$0 == begin { off = 1 } !off; $0 == end { off = 0 }' "$1"; }

# ------------------------------------------------------------------ what there is now

if [[ -e $config ]]; then
  stripped "$config" >"$work/main.toml"
else
  : >"$work/main.toml"
fi

# top KEY: prints the line of a key of the main table.
top() { awk -v key="$1" '/^[ \t]*\[/ { exit } $1 == key || index($0, key "=") == 1' "$work/main.toml"; }

# The file with the tables, if there is to be one, and where it is now.
drop_in=''
if ((major > 1)); then
  drop_in=$directory/conf.d/loomshim.toml
  imports=$(top imports)
  if [[ -n $imports ]]; then
    drop_in=$(grep -oE "[\"'][^\"']*/\*\.toml[\"']" <<<"$imports" | head -n 1 | tr -d "\"'") ||
      die "\`imports\` in $config has no pattern *.toml: add \"$directory/conf.d/*.toml\" to it, and run this again"
    drop_in=${drop_in%/*}/loomshim.toml
    [[ $drop_in == /* ]] || drop_in=$directory/$drop_in
  fi
fi

# put FILE NEW: replaces FILE, or takes it away when NEW is empty or holds nothing.
put() {
  if [[ -z $2 || ! -s $2 ]]; then
    rm -f "$1"
    return
  fi
  mkdir -p "$(dirname "$1")"
  cp "$2" "$1.loomshim-new"
  if [[ -e $1 ]]; then chmod --reference="$1" "$1.loomshim-new"; else chmod 644 "$1.loomshim-new"; fi
  mv -f "$1.loomshim-new" "$1"
}

files=("$config" "$options_file")
[[ -z $drop_in ]] || files+=("$drop_in")
for i in "${!files[@]}"; do
  [[ ! -e ${files[i]} ]] || cp "${files[i]}" "$work/before.$i"
done

# restore: everything as it was when this run began.
restore() {
  local i
  for i in "${!files[@]}"; do
    if [[ -e $work/before.$i ]]; then put "${files[i]}" "$work/before.$i"; else rm -f "${files[i]}"; fi
  done
}

if $undo; then
  put "$config" "$work/main.toml"
  rm -f "$options_file" ${drop_in:+"$drop_in"}
  [[ -z $drop_in ]] || rmdir --ignore-fail-on-non-empty "$(dirname "$drop_in")" 2>/dev/null || true
  printf 'removed; restart containerd\n'
  exit 0
fi

# ------------------------------------------------------------------------ the new text

version=$(top version | grep -oE '[0-9]+' | head -n 1) || version=''
if [[ -z $version ]]; then
  [[ ! -s $work/main.toml ]] ||
    die "$config is of version 1, which containerd 2 does not read: see \`containerd config migrate\`"
  version=$((major > 1 ? 3 : 2))
  printf '%s\nversion = %s\n%s\n' "$BEGIN" "$version" "$END" >"$work/head"
else
  : >"$work/head"
fi
case $version in
  2) plugin='plugins."io.containerd.grpc.v1.cri"' ;;
  3) plugin="plugins.'io.containerd.cri.v1.runtime'" ;;
  *) die "$config is of version $version, which this script does not know" ;;
esac

table() {
  local name=$plugin.containerd.runtimes.$handler
  printf '[%s]\n' "$name"
  if [[ -n $runtime_path ]]; then
    printf '  runtime_type = "io.containerd.runc.v2"\n  runtime_path = "%s"\n' "$runtime_path"
  else
    printf '  runtime_type = "%s"\n' "$TYPE"
  fi
  ((${#options[@]})) || return 0
  printf '[%s.options]\n' "$name"
  # as runc.v2 it gets the options themselves; containerd before 1.7 passes nothing but a path on to other types
  if [[ -n $runtime_path ]]; then option_lines; else printf '  ConfigPath = "%s"\n' "$options_file"; fi
}

option_lines() {
  local option value
  for option in "${options[@]}"; do
    [[ $option =~ ^[A-Za-z]+=.+$ && $option != *[\"\\]* ]] || die "option $option is not of the form KEY=VALUE"
    value=${option#*=}
    case $value in
      true | false) ;;
      *[!0-9]*) value="\"$value\"" ;;
    esac
    printf '  %s = %s\n' "${option%%=*}" "$value"
  done
}

: >"$work/options.toml"
if ((${#options[@]})) && [[ -z $runtime_path ]]; then option_lines >"$work/options.toml"; fi
table >"$work/table"
cp "$work/main.toml" "$work/new.toml"
if [[ -n $drop_in ]]; then
  { printf 'version = %s\n' "$version" && cat "$work/table"; } >"$work/dropin.toml"
  if [[ -z $imports ]]; then
    printf '%s\nimports = ["%s/*.toml"]\n%s\n' "$BEGIN" "$(dirname "$drop_in")" "$END" >>"$work/head"
  fi
else
  : >"$work/dropin.toml"
  # a last line without an end would run into ours
  [[ -z $(tail -c 1 "$work/new.toml") ]] || printf '\n' >>"$work/new.toml"
  { printf '%s\n' "$BEGIN" && cat "$work/table" && printf '%s\n' "$END"; } >>"$work/new.toml"
fi
cat "$work/head" "$work/new.toml" >"$work/whole.toml"

# --------------------------------------------------------------------- put and try it

old=''
put "$config" "$work/main.toml"
[[ -z $drop_in ]] || rm -f "$drop_in"
if [[ -e $config ]]; then
  old=$(dump "$config") || { restore && die "containerd does not read $config as it is: $(tail -n 1 "$work/errors")"; }
fi
problem=''
if grep -qF "runtimes.$handler]" <<<"$old"; then
  problem="$config has a runtime $handler already: choose another name with --handler"
elif grep -qE "^ *disabled_plugins *=.*[\"'](cri|io.containerd.grpc.v1.cri|io.containerd.cri.v1.runtime)[\"']" <<<"$old"; then
  problem="CRI is disabled in $config (disabled_plugins), so there is nothing that Kubernetes could use"
else
  put "$config" "$work/whole.toml"
  put "$options_file" "$work/options.toml"
  [[ -z $drop_in ]] || put "$drop_in" "$work/dropin.toml"
  if ! new=$(dump "$config"); then
    problem="containerd does not read the result: $(tail -n 1 "$work/errors")"
  elif ! grep -qF "runtimes.$handler]" <<<"$new"; then
    problem="containerd does not see the runtime in the result"
  else
    lost=$(comm -23 <(sort <<<"$old" | grep -v imports) <(sort <<<"$new" | grep -v imports) | grep -v '^ *$' || true)
    [[ -z $lost ]] || problem="containerd would lose settings: $lost"
  fi
fi
if [[ -n $problem ]]; then
  restore
  die "$problem; nothing was changed"
fi

printf 'runtime %s is in %s; restart containerd\n' "$handler" "${drop_in:-$config}"
