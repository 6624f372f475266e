#!/usr/bin/env bash
# Makes loomshim a runtime of containerd's CRI plugin, for Kubernetes, and takes that back. It needs no other file.
#
#   configure.sh [--print] [--config FILE] [--containerd PROGRAM] [--handler NAME] [--by-name | --runtime-path FILE]
#                [--option KEY=VALUE]... [--enable-cri] [--no-trial]
#   configure.sh --undo [--config FILE]
#
#   --config FILE        containerd's configuration; /etc/containerd/config.toml without it. One that is missing is made.
#                        Of k3s and RKE2: config.toml, which they generate, or the template config.toml.tmpl or
#                        config-v3.toml.tmpl beside it
#   --containerd PROGRAM the containerd that reads it; without it that of k3s for a file of k3s, else the one in the PATH
#   --handler NAME       what a RuntimeClass has as its handler; loom without it
#   --runtime-path FILE  the shim as runtime_path of type io.containerd.runc.v2. With containerd 2 that is the default,
#                        with the shim that is installed: containerd 2 asks only this type which features it has
#   --by-name            the shim as type io.containerd.loom.v1, which containerd finds in its PATH: the default with
#                        containerd 1
#   --option KEY=VALUE   an option for runc, such as BinaryName=/usr/bin/crun, Root=/run/loom or SystemdCgroup=true,
#                        which is taken from the default runtime if it is not told
#   --enable-cri         where CRI is disabled in FILE on purpose, take it out of disabled_plugins
#   --no-trial           start no containerd to see whether CRI loads with the result
#   --print              show what would be written, and write nothing
#   --undo               take away what this script has written; all else stays as it is
#
# For containerd 2 it writes a file loomshim.toml where FILE imports files from, and a line `imports` into FILE where it
# has none. containerd 1 would take the tables of such a file in place of FILE's own, so there the lines go to the end of
# FILE. The result is given to containerd: nothing stays changed when it could not read it, would lose or change another
# setting, or would not load CRI. containerd reads its configuration when it starts: restart it afterwards. Running the
# script again replaces what it wrote before.
set -euo pipefail

readonly BEGIN='# loomshim: begin (configure.sh --undo takes it away'
readonly MADE='; it made this file'
readonly DIRECTORY_TOO=' and its directory'
readonly CUT='; the line above had no end'
readonly END='# loomshim: end'
readonly WAS='# loomshim: was '
readonly BASE='{{ template "base" . }}'  # what a template of k3s gets k3s' own configuration by
readonly SHIM=containerd-shim-loom-v1
readonly TYPE=io.containerd.loom.v1
readonly CRI='cri|io\.containerd\.(grpc\.v1\.cri|cri\.v1\.(runtime|images))'  # what it is called in disabled_plugins
readonly TRIAL_SECONDS_MAX=20  # a containerd with empty directories starts in less than one

config=/etc/containerd/config.toml containerd='' handler=loom runtime_path='' by_name=false options=()
undo=false print=false trial=true enable_cri=false
# where the files are, and where they are in messages
directory=/ real=/

die() {
  printf 'error: %s\n' "${*//$directory/$real}" >&2
  exit 1
}

while (($#)); do
  case $1 in
    --undo) undo=true ;;
    --print) print=true ;;
    --by-name) by_name=true ;;
    --enable-cri) enable_cri=true ;;
    --no-trial) trial=false ;;
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
! $by_name || [[ -z $runtime_path ]] || die "--by-name and --runtime-path exclude each other"
for option in "${options[@]}"; do
  [[ $option =~ ^[A-Za-z]+=.+$ && $option != *[\"\\]* ]] || die "option $option is not of the form KEY=VALUE"
done

# --------------------------------------------------------------------------- files

work=$(mktemp -d)
saved=() made_directories=() trial_pid='' kept=false
trap end EXIT
trap 'exit 130' INT TERM HUP

# end: unless the result is kept, everything is as it was when this run began.
end() {
  local i
  [[ -z $trial_pid ]] || kill -KILL "$trial_pid" 2>/dev/null || true
  if ! $kept; then
    for i in "${!saved[@]}"; do
      if [[ -e $work/before.$i ]]; then
        cp -p "$work/before.$i" "${saved[i]}.loomshim-new"
        mv -f "${saved[i]}.loomshim-new" "${saved[i]}"
      else
        rm -f "${saved[i]}"
      fi
    done
    for i in "${made_directories[@]}"; do rmdir "$i" 2>/dev/null || true; done
  fi
  rm -rf --one-file-system "$work"
}

# save FILE: keeps what it was when this run began.
save() {
  local file
  for file in "${saved[@]}"; do
    [[ $file != "$1" ]] || return 0
  done
  ! $print || [[ $1 == "$work"/* ]] || die "--print cannot show the change of $1, which is not below $real"
  [[ ! -e $1 ]] || cp -p "$1" "$work/before.${#saved[@]}"
  saved+=("$1")
}

# replace FILE TEXT: FILE has the text of the file TEXT then, and keeps its owner and mode.
replace() {
  save "$1"
  if [[ ! -d ${1%/*} ]]; then
    mkdir -p "${1%/*}"
    made_directories+=("${1%/*}")
  fi
  cp "$2" "$1.loomshim-new"
  chmod 644 "$1.loomshim-new"
  if [[ -e $1 ]]; then
    chmod --reference="$1" "$1.loomshim-new"
    chown --reference="$1" "$1.loomshim-new"
  fi
  mv -f "$1.loomshim-new" "$1"
}

remove() {
  [[ -e $1 ]] || return 0
  save "$1"
  rm -f "$1"
}

ends_with_a_line() { [[ -z $(tail -c 1 "$1") ]]; }
has_ours() { grep -qsF "$BEGIN" "$1"; }
generated() { head -n 5 "$1" 2>/dev/null | grep -q 'generated by .* DO NOT EDIT'; }

# stripped FILE: prints it without what this script has written, byte for byte what it was.
stripped() {
  local cut=0
  ends_with_a_line "$1" || cut=1
  awk -v begin="$BEGIN" -v end="$END" -v was="$WAS" -v sign="$CUT" -v cut=$cut '
    index($0, begin) == 1 { off = 1; signed = index($0, sign); next }
    $0 == end { off = 0; next }
    off { next }
    index($0, was) == 1 { $0 = substr($0, length(was) + 1) }
    { printf "%s%s", line_end, $0; line_end = "\n"; signed = 0 }
    END { if (!cut && !signed) printf "%s", line_end }
  ' "$1"
}

# statement KEY FILE [PREFIX]: prints the lines of a key of the main table, all those of an array. With PREFIX it prints
# all of FILE, with this before these lines.
statement() {
  [[ -e $2 ]] || return 0
  awk -v key="$1" -v prefix="${3-}" '
    function depth(text) {
      gsub(/"[^"]*"|\047[^\047]*\047/, "", text)
      sub(/#.*/, "", text)
      return gsub(/\[/, "", text) - gsub(/\]/, "", text)
    }
    !inside && !tables {
      line = $0
      sub(/^[ \t]*/, "", line)
      if (line ~ /^\[/) tables = 1
      if (line ~ "^" key "[ \t]*=") inside = 1
    }
    inside {
      print prefix $0
      open += depth($0)
      if (open <= 0) inside = 0
      next
    }
    prefix != "" { print }
  ' "$2"
}

# strings: prints those of the TOML text on stdin, a line each.
strings() {
  awk '{
    while (match($0, /"[^"]*"|\047[^\047]*\047|#/)) {
      if (substr($0, RSTART, 1) == "#") break
      print substr($0, RSTART + 1, RLENGTH - 2)
      $0 = substr($0, RSTART + RLENGTH)
    }
  }'
}

# patterns FILE: prints what it imports, as absolute paths.
patterns() {
  local pattern
  statement imports "$1" | strings | while read -r pattern; do
    [[ $pattern == /* ]] || pattern=${1%/*}/$pattern
    printf '%s\n' "$pattern"
  done
}

# imported FILE: prints the files that it imports, and those that they import.
imported() {
  local pending=("$1") pattern file seen=" $1 "
  while ((${#pending[@]})); do
    while read -r pattern; do
      while read -r file; do
        [[ $seen != *" $file "* ]] || continue
        seen+="$file "
        pending+=("$file")
        printf '%s\n' "$file"
      done < <(compgen -G "$pattern")
    done < <(patterns "${pending[0]}")
    pending=("${pending[@]:1}")
  done
}

# clean: takes away what an earlier run has written, wherever that was.
clean() {
  local file files=() pattern made
  mapfile -t files < <(imported "$config")
  while read -r pattern; do files+=("${pattern%/*}/loomshim.toml"); done < <(patterns "$config")
  files+=("$directory/conf.d/loomshim.toml" "$options_file" "$directory"/{config.toml,config-v3.toml}.tmpl)
  # the main file last, as its directory goes with it if that was made for it
  for file in "${files[@]}" "$config"; do
    if has_ours "$file" && ! generated "$file"; then
      stripped "$file" >"$work/text"
      made=$(grep -F "$BEGIN$MADE" "$file" || true)
      if [[ -n $made && ($(<"$work/text") == "$BASE" || ! -s $work/text) ]]; then
        remove "$file"
        [[ $made != *"$DIRECTORY_TOO"* ]] || rmdir "${file%/*}" 2>/dev/null || true
      else
        replace "$file" "$work/text"
      fi
    elif [[ $file == */loomshim.toml || $file == "$options_file" ]]; then
      # of an earlier version of this script
      remove "$file"
    fi
  done
}

# ----------------------------------------------------------- the file, and who reads it

! [[ -L $config ]] || config=$(readlink -f "$config")
[[ $config == */* ]] || config=./$config
real=${config%/*}
[[ ! -d $real ]] || real=$(cd "$real" && pwd)
[[ $real == /* ]] || die "there is no directory $real"
directory=$real config=$real/${config##*/}
if $print; then
  # everything happens to a copy
  directory=$work/copy config=$work/copy/${config##*/}
  mkdir "$directory"
  if [[ -d $real ]]; then
    cp -a "$real/." "$directory"
    find "$directory" -name '*.toml' -type f -exec sed -i "s|$real/|$directory/|g" {} +
  fi
fi
options_file=$directory/loomshim-options.toml
template=''
if [[ $config == *.toml.tmpl ]]; then template=$config config=$directory/config.toml; fi

if $undo; then
  clean
  kept=true
  if ((${#saved[@]})); then
    printf 'removed; restart %s\n' "$(generated "$config" && echo 'the program that has made config.toml' || echo containerd)"
  else
    printf 'nothing of this script is in %s\n' "$real"
  fi
  exit 0
fi

if [[ -z $containerd ]]; then
  containerd=containerd
  for program in "${real%/agent/etc/containerd}"/{data/current/bin,bin}/containerd; do
    if [[ $real == */agent/etc/containerd && -x $program ]]; then
      containerd=$program
      break
    fi
  done
fi
command -v "$containerd" >/dev/null || die "there is no $containerd: name the one that reads $config with --containerd PROGRAM"
number=$("$containerd" --version | grep -oE ' v?[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 | tr -d ' v') ||
  die "$containerd does not tell its version"
major=${number%%.*} minor=${number#*.} minor=${minor%%.*}
[[ -z $runtime_path ]] || ((major > 1 || minor >= 7)) ||
  die "the CRI plugin of containerd $number takes no notice of runtime_path; that of 1.7 does"
if ((major > 1)) && [[ -z $runtime_path ]] && ! $by_name; then
  for program in "$(command -v "$SHIM" || true)" /usr/bin/"$SHIM" /usr/local/bin/"$SHIM"; do
    if [[ $program == /* && -x $program ]]; then
      runtime_path=$program
      break
    fi
  done
  [[ -n $runtime_path ]] ||
    die "there is no $SHIM here: install it first, name it with --runtime-path FILE, or have it found later with --by-name"
fi

# dump FILE OUT: the configuration that containerd makes of FILE; a failure leaves its reason in $work/errors.
dump() { "$containerd" --config "$1" config dump >"$2" 2>"$work/errors"; }
reason() { tail -n 1 "$work/errors"; }

# flat DUMP: prints its settings without those that are empty, each with its table, quotes of one kind.
flat() {
  awk '
    { gsub(/\047/, "\""); sub(/^[ \t]+/, "") }
    /^\[/ { table = $0; next }
    $0 == "" || / = (""|"0s"|\[\]|0|0\.0|false)$/ { next }
    table == "" && /^(imports|version) = / { next }
    { print table " " $0 }
  ' "$1" | sort
}

# of_dump KEY DUMP: prints the strings of a key of the main table.
of_dump() { grep -E "^$1 = " "$2" | head -n 1 | strings; }
disables_cri() { of_dump disabled_plugins "$1" | grep -qxE "$CRI"; }

# ------------------------------------------------------------------ what there is now

clean
if [[ -z $template ]] && generated "$config"; then
  if ((major == 1)) || [[ $(patterns "$config") != */\*.toml* ]]; then
    # what is written into it does not last
    template=$directory/config.toml.tmpl
    if [[ -e $directory/config-v3.toml.tmpl || ! -e $template && $(statement version "$config") == *3* ]]; then
      template=$directory/config-v3.toml.tmpl
    fi
  fi
fi
# The file that gets our lines, and its own text; the one that containerd is asked about.
main=${template:-$config} subject=$config checks=true
if [[ -e $main ]]; then cp "$main" "$work/main"; else : >"$work/main"; fi
: >"$work/old"
if [[ -n $template ]]; then
  # what has been made of the template, and what will be
  subject=$work/rendered.toml
  if [[ -e $config ]]; then stripped "$config" >"$subject"; else checks=false; fi
  cp "$subject" "$work/rendered" 2>/dev/null || : >"$work/rendered"
fi
if $checks && ! dump "$subject" "$work/old"; then
  # containerd 1 dumps no file that is missing, but starts without
  [[ ! -e $subject ]] || die "containerd does not read $config as it is: $(reason)"
  : >"$work/none.toml"
  dump "$work/none.toml" "$work/old" || die "$containerd dumps no configuration: $(reason)"
fi

# Where CRI is disabled, our lines have another list.
disabled='' enabled=''
if disables_cri "$work/old"; then
  if [[ $(grep -vE '^[[:space:]]*(#|$|version *=)' "$main") =~ ^disabled_plugins[\ ]*=[\ ]*\[\ *[\"\']cri[\"\']\ *\][[:space:]]*$ ]]; then
    enabled="CRI was disabled in $main, as Docker's package does, and is enabled now"
  elif $enable_cri; then
    enabled="CRI was disabled in $main, and is enabled now"
  else
    die "CRI is disabled in $main (disabled_plugins), so there is nothing that Kubernetes could use:" \
      "with --enable-cri this script takes it out of that list, and --undo puts it back"
  fi
  while read -r name; do disabled+="${disabled:+, }\"$name\""; done < <(statement disabled_plugins "$main" | strings | grep -vxE "$CRI")
  disabled="[$disabled]"
fi

# same_in_2: whether the main file names no plugin, which versions 1 and 2 do in other ways.
same_in_2() {
  local plugins
  plugins=${disabled:-$(statement disabled_plugins "$main")}$(statement required_plugins "$main")$(patterns "$main")
  [[ -z $(strings <<<"$plugins") ]] && ! grep -qE '^[[:space:]]*\[+[[:space:]]*plugins' "$work/main"
}

version=$(statement version "$main" | grep -oE '[0-9]+' | head -n 1) || version=''
new_version=''
if [[ -n $template ]]; then
  version=$(statement version "$config" | grep -oE '[0-9]+' | head -n 1) || version=2
  [[ $template != */config-v3.* ]] || version=3
elif [[ -z $version ]]; then
  # containerd 1 reads a file without a version as 1, containerd 2 makes 3 of it
  if ((major > 1)); then
    version=3
    [[ -e $main ]] || new_version=3
  elif same_in_2; then
    # which containerd 2 goes on to read
    version=2 new_version=2
  else
    version=1
  fi
elif ((major > 1 && version == 1)); then
  version=3
fi
case $version in
  1) plugin=plugins.cri ;;
  2) plugin='plugins."io.containerd.grpc.v1.cri"' ;;
  3 | 4) plugin="plugins.'io.containerd.cri.v1.runtime'" ;;
  *) die "$main is of version $version, which this script does not know" ;;
esac

# ------------------------------------------------------------------------ the new text

# table RUNC: prints our table; before it, if that is asked for, the one of runc as it is in force where there is no
# table of runtimes: containerd 1 forgets it where it finds one, and does not load CRI without its default runtime.
table() {
  local name=$plugin.containerd.runtimes.$handler
  if $1; then
    printf '# runc as containerd has it where no runtime is configured\n'
    awk -v head="[$plugin.containerd.runtimes.runc" '
      { sub(/^[ \t]+/, "") }
      /^\[/ {
        at = index($0, ".containerd.runtimes.runc")
        rest = substr($0, at + length(".containerd.runtimes.runc"))
        inside = at && rest ~ /^[].]/
        table = head rest
        next
      }
      inside && NF && !/ = (""|\047\047|\[\]|0|false)$/ {
        if (table != "") print table
        table = ""
        print "  " $0
      }
    ' "$work/old"
  fi
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
    value=${option#*=}
    case $value in
      true | false) ;;
      *[!0-9]*) value="\"$value\"" ;;
    esac
    printf '  %s = %s\n' "${option%%=*}" "$value"
  done
}

# make FILE LINES: a file of our own, of these lines.
make() {
  local note=$BEGIN$MADE
  if [[ ! -d ${1%/*} || " ${made_directories[*]} " == *" ${1%/*} "* ]]; then note+=$DIRECTORY_TOO; fi
  { printf '%s)\n' "$note" && cat "$2" && printf '%s\n' "$END"; } >"$work/new"
  replace "$1" "$work/new"
}

# with_block TEXT LINES: prints TEXT with LINES at its end.
with_block() {
  cat "$1"
  [[ -s $2 ]] || return 0
  if ends_with_a_line "$1"; then printf '%s)\n' "$BEGIN"; else printf '\n%s%s)\n' "$BEGIN" "$CUT"; fi
  cat "$2"
  printf '%s\n' "$END"
}

# write_main LINES [TOP]: gives the main file these lines at its end, and at its beginning TOP and what it needs besides.
write_main() {
  local key
  {
    [[ -z $new_version ]] || printf 'version = %s\n' "$new_version"
    [[ -z $disabled ]] || printf 'disabled_plugins = %s\n' "$disabled"
    [[ -z ${2-} ]] || printf '%s\n' "$2"
  } >"$work/top"
  if ! $main_exists; then
    cat "$work/top" "$1" >"$work/lines"
    if [[ -n $template ]]; then
      # the line of k3s stands outside, as what it stands for is none of ours
      printf '%s%s)\n%s\n%s\n' "$BEGIN" "$MADE" "$END" "$BASE" >"$work/text"
      with_block "$work/text" "$work/lines" >"$work/new"
      replace "$main" "$work/new"
    else
      make "$main" "$work/lines"
    fi
    return
  fi
  cp "$work/main" "$work/body"
  for key in disabled_plugins imports; do
    if grep -q "^$key = " "$work/top"; then
      statement "$key" "$work/body" "$WAS" >"$work/commented"
      ends_with_a_line "$work/body" || truncate -s -1 "$work/commented"
      mv "$work/commented" "$work/body"
    fi
  done
  {
    [[ ! -s $work/top ]] || { printf '%s)\n' "$BEGIN" && cat "$work/top" && printf '%s\n' "$END"; }
    with_block "$work/body" "$1"
  } >"$work/new"
  cmp -s "$work/new" "$main" || replace "$main" "$work/new"
}

main_exists=false
[[ ! -e $main ]] || main_exists=true
: >"$work/nothing"
if [[ -n $disabled ]]; then
  # what CRI's settings are is seen once it is not disabled any more
  write_main "$work/nothing"
  dump "$subject" "$work/old" || die "containerd does not read the result: $(reason)"
  ! disables_cri "$work/old" ||
    die "CRI is disabled (disabled_plugins) in a file that $config imports, too: take it out there first"
fi
flat "$work/old" >"$work/old.flat"
! grep -qE "^\[[^]]*\.runtimes\.$handler\] " "$work/old.flat" ||
  die "$config has a runtime $handler already: choose another name with --handler"
default=$(sed -n 's/^\[[^]]*containerd\] default_runtime_name = "\(.*\)"$/\1/p' "$work/old.flat" | head -n 1)
given="^\[[^]]*\.runtimes\.\"?${default:-runc}\"?\.options\]"
# containerd 1.4 leaves the options of runtimes out of what it dumps: then the file itself tells them
told=$work/old.flat
if [[ -e $subject ]] && ! grep -qE "$given " "$told"; then
  told=$work/subject.flat
  flat "$subject" >"$told"
fi
if [[ " ${options[*]}" != *' SystemdCgroup='* ]] && grep -qE "$given SystemdCgroup *= *true" "$told"; then
  # pods of one node are in cgroups of one kind
  options+=('SystemdCgroup=true')
fi

# attempt PLACE RUNC: writes it to PLACE, which is a file to the end of which it goes, or `import FILE` or `found FILE`,
# a file of its own that the main file is made to import, or imports already. Sets `problem`.
attempt() {
  local place=$1 lost gained
  problem=''
  table "$2" >"$work/block"
  case $place in
    import\ * | found\ *)
      if [[ $place == import* ]]; then
        write_main "$work/nothing" "imports = [\"$(dirname "${place#* }")/*.toml\"]"
      elif [[ -n $disabled ]]; then
        write_main "$work/nothing"
      fi
      { printf 'version = %s\n' "$version" && cat "$work/block"; } >"$work/lines"
      make "${place#* }" "$work/lines"
      ;;
    "$main")
      write_main "$work/block"
      [[ -z $template ]] || with_block "$work/rendered" "$work/block" >"$subject"
      ;;
    *)
      [[ -z $disabled ]] || write_main "$work/nothing"
      cp "$place" "$work/place"
      with_block "$work/place" "$work/block" >"$work/new"
      replace "$place" "$work/new"
      ;;
  esac
  if ((${#options[@]})) && [[ -z $runtime_path ]]; then
    option_lines >"$work/lines"
    make "$options_file" "$work/lines"
  fi
  $checks || return 0
  if ! dump "$subject" "$work/dump"; then
    problem="containerd does not read the result: $(reason)"
    return
  fi
  flat "$work/dump" >"$work/all"
  { grep -vE "^\[[^]]*\.runtimes\.${handler}[].]" "$work/all" || true; } >"$work/others"
  lost=$(comm -23 "$work/old.flat" "$work/others")
  gained=$(comm -13 "$work/old.flat" "$work/others")
  if ! grep -qE "^\[[^]]*\.runtimes\.$handler\] runtime_type = " "$work/all"; then
    problem="containerd does not see the runtime in the result"
  elif [[ -n $lost ]]; then
    problem="containerd would lose settings: $lost"
  elif [[ -n $gained ]]; then
    problem="containerd would get other settings: $gained"
  fi
}

# back PLACE: takes an attempt back.
back() {
  case $1 in
    import\ * | found\ *) remove "${1#* }" ;;
    "$main") ;;
    *) replace "$1" "$work/place" ;;
  esac
  if $main_exists; then
    cmp -s "$work/main" "$main" || replace "$main" "$work/main"
  else
    remove "$main"
  fi
  remove "$options_file"
}

# ------------------------------------------------------------------------------ the trial

# apart DUMP HOME: prints a configuration like it, of a containerd that meets nothing of the one that may run now: its
# directories and sockets are below HOME, it has no ports, no plugins that are programs, no devices and no proxies.
apart() {
  awk -v home="$2" '
    function set(value) { sub(/=.*/, "= " value) }
    /^[ \t]*\[/ {
      table = $1
      gsub(/\047/, "\"", table)
      proxies = table ~ /^\[+proxy_plugins/
    }
    proxies { next }
    table == "" && $1 ~ /^(imports|required_plugins)$/ { set("[]") }
    # names of version 1 are none here
    table == "" && $1 == "disabled_plugins" && !/io\.containerd\./ { set("[]") }
    table == "" && $1 == "oom_score" { set("0") }
    table == "" && $1 == "temp" { set("\"\"") }
    $1 == "address" {
      if (table ~ /^\[(grpc|plugins\."io\.containerd\.server\.v1\.grpc")\]$/) set("\"" home "/grpc\"")
      else if (table ~ /^\[(ttrpc|plugins\."io\.containerd\.server\.v1\.ttrpc")\]$/) set("\"" home "/ttrpc\"")
      else set("\"\"")
    }
    table == "[debug]" && $1 == "format" { set("\"\"") }
    table == "[cgroup]" && $1 == "path" { set("\"\"") }
    table ~ /io\.containerd\.internal\.v1\.opt/ && $1 == "path" { set("\"" home "/opt\"") }
    table ~ /io\.containerd\.nri\.v1\.nri/ && $1 == "disable" { set("true") }
    $1 ~ /^(tcp_address|root_path|pool_name|scratch_file)$/ { set("\"\"") }
    $1 == "snapshotter" && !/= (""|\047\047)/ { set("\"native\"") }
    $1 == "stream_server_port" { set("\"0\"") }
    $1 ~ /^(cni_)?conf_dir$/ && !/= (""|\047\047)/ { set("\"" home "/cni\"") }
    { print }
  ' "$1"
}

# loads_cri DUMP: whether a containerd with these settings loads CRI; else `why` has the reason.
loads_cri() {
  local home=$work/trial plugins='' i
  rm -rf --one-file-system "$home"
  mkdir -p "$home/root" "$home/state" "$home/cni"
  apart "$1" "$home" >"$home/config.toml"
  env -u NOTIFY_SOCKET "$containerd" --config "$home/config.toml" --root "$home/root" --state "$home/state" \
    --address "$home/grpc" --log-level info >"$home/log" 2>&1 </dev/null &
  trial_pid=$!
  for ((i = 0; i < TRIAL_SECONDS_MAX * 20; i++)); do
    if [[ -S $home/grpc ]] && plugins=$("$ctr" --address "$home/grpc" --connect-timeout 2s plugins ls 2>/dev/null); then break; fi
    kill -0 "$trial_pid" 2>/dev/null || break
    sleep 0.05
  done
  kill -TERM "$trial_pid" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    kill -0 "$trial_pid" 2>/dev/null || break
    sleep 0.05
  done
  kill -KILL "$trial_pid" 2>/dev/null || true
  wait "$trial_pid" 2>/dev/null || true
  trial_pid=''
  why=$(sed -n '/failed to load plugin.*cri/s/.*error="\(\(\\"\|[^"]\)*\)".*/\1/p' "$home/log" | tail -n 1)
  [[ -n $why ]] || why=$(tail -n 1 "$home/log")
  awk '$1 == "io.containerd.grpc.v1" && $2 == "cri" && $NF == "ok" { found = 1 } END { exit !found }' <<<"$plugins"
}

if $trial && $checks && ! $print; then
  ctr=$(dirname "$(readlink -f "$(command -v "$containerd")")")/ctr
  [[ -x $ctr ]] || ctr=$(command -v ctr) ||
    die "there is no ctr beside $containerd, to ask it whether it loads CRI; --no-trial goes without"
fi

# ------------------------------------------------------------------------------ write it

places=()
if ((major > 1)) && [[ -z $template ]]; then
  if [[ -e $config ]]; then
    pattern=$(patterns "$config" | grep -E '/\*\.toml$' | head -n 1) || pattern=''
    again=$(patterns "$config")
  else
    # containerd 2.2 and newer import a directory where there is no file
    pattern=$(of_dump imports "$work/old" | grep -E '/\*\.toml$' | head -n 1) || pattern=''
    again=$pattern
  fi
  if [[ -n $pattern ]]; then
    places+=("found ${pattern%/*}/loomshim.toml")
  elif [[ -z $again ]]; then
    places+=("import $directory/conf.d/loomshim.toml")
  fi
fi
if [[ -n $template ]] || ! generated "$main"; then places+=("$main"); fi
if [[ -z $template ]]; then
  # containerd 1 takes CRI's tables from the last file that has some
  mapfile -t more < <(imported "$config" | tac)
  places+=("${more[@]}")
fi

first='' problem=''
for place in "${places[@]}"; do
  for runc in false true; do
    attempt "$place" "$runc"
    [[ -n $problem ]] || break 2
    : "${first:=$problem}"
    back "$place"
  done
done
[[ -z $problem ]] || die "$first; nothing was changed"

if $print; then
  for i in "${!saved[@]}"; do
    before=$work/before.$i after=${saved[i]}
    [[ -e $before ]] || before=/dev/null
    [[ -e $after ]] || after=/dev/null
    diff -u --label "${saved[i]}" --label "${saved[i]}" "$before" "$after" || true
  done | sed "s|$directory/|$real/|g"
  exit 0
fi
if $trial && $checks && ! loads_cri "$work/dump"; then
  problem="CRI would not load: $why"
  loads_cri "$work/old" ||
    problem="a trial of containerd with $config as it is does not load CRI ($why), so it cannot tell whether the result does; --no-trial goes without"
  die "$problem; nothing was changed"
fi

kept=true
[[ -z $enabled ]] || printf '%s\n' "$enabled"
$checks || printf '%s is not there yet, so containerd has not been asked about the result\n' "$config"
printf 'runtime %s is in %s; restart %s\n' "$handler" "${place#* }" \
  "$(generated "$config" || [[ -n $template ]] && echo 'k3s, or what else makes config.toml' || echo containerd)"
