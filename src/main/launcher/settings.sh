# The settings of loomshim.conf: what there are, and how the file is read. Whoever reads the file does it here: the
# launcher when the file has changed, its command `check`, and install.sh. docs/INSTALL.md explains it to people.
# shellcheck shell=sh disable=SC2034,SC2154 # the variables are those of the program that reads this

LINE_CHARS_MAX=4096    # a shell needs long to cut what is longer
DIGITS_MAX=9           # of a number of seconds: the daemon counts in 32 bits
# the path of a socket may have 107: a slash and 46 for the name of a run directory, 25 for the socket in it
RUN_DIR_CHARS_MAX=35
LOG_CHARS_MAX=115      # journal: and the path of a socket
SETTINGS='mode task_api linger_seconds stuck_seconds log kill_exec_tree native_runc early_cgroup_wait spawn_apart
  sealed_runtime take_over auto_upgrade threads java java_options run_dir runc_timeout_seconds'

# setting NAME: sets its `kind` and its `default`; fails when there is none of this name.
setting() {
  case $1 in
    mode) kind='namespace, pod, container' default=namespace ;;
    task_api) kind='auto, 2, 3' default=auto ;;
    linger_seconds | stuck_seconds) kind='seconds 0' default=30 ;;
    log) kind='containerd, journal, journal:/PATH' default=containerd ;;
    runc_timeout_seconds) kind='seconds 1' default=60 ;;
    kill_exec_tree | take_over | auto_upgrade) kind='true, false' default=false ;;
    native_runc | early_cgroup_wait | spawn_apart) kind='true, false' default=true ;;
    sealed_runtime) kind='auto, true, false' default=auto ;;
    threads) kind='virtual, platform, fixed:N, pinned' default=virtual ;;
    java) kind=program default= ;;
    java_options) kind=text default= ;;
    run_dir) kind=directory default=/run/loomshim ;;
    *) return 1 ;;
  esac
}

# read_settings FILE: sets every setting, and for each one `line_NAME`, the line that it comes from, 0 for the default.
# Sets `mistakes`, a line `NUMBER TEXT` for each line of the file that does not count, and `notes` in the same form.
# Never fails: what is not understood leaves the default.
read_settings() {
  mistakes='' notes='' number=0
  for name in $SETTINGS; do
    setting "$name"
    eval "$name=\$default line_$name=0"
  done
  [ -e "$1" ] || return 0
  if [ ! -f "$1" ] || [ ! -r "$1" ]; then
    mistake 'no file that can be read; all settings have their defaults'
    return 0
  fi
  odd=$(printf ' \t\r.\357\273\277')
  gaps=${odd%%.*} mark=${odd#*.}
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    # what Windows' editors put at the beginning of a file
    if [ $number -eq 1 ]; then line=${line#"$mark"}; fi
    read_line
  done < "$1"
}

mistake() {
  mistakes="$mistakes$number $1
"
}

# trim TEXT: sets `text`, without the blanks around it.
trim() {
  text=${1#"${1%%[!"$gaps"]*}"}
  text=${text%"${text##*[!"$gaps"]}"}
}

# read_line: reads `line`.
read_line() {
  if [ ${#line} -gt $LINE_CHARS_MAX ]; then
    mistake "a line of more than $LINE_CHARS_MAX characters, which is not read"
    return 0
  fi
  trim "$line"
  case $text in
    '' | '#'*) return 0 ;;
    [!=]*=*) ;;
    *)
      mistake "$text is no setting: a line is NAME=VALUE, or a comment after #"
      return 0 ;;
  esac
  name=${text%%=*} given=${text#*=}
  # the file was read by sh once
  name=${name#export["$gaps"]}
  trim "$name"
  name=$text
  if ! setting "$name"; then
    mistake "there is no setting $name"
    return 0
  fi
  eval "before=\$line_$name"
  if [ "$before" -gt 0 ]; then
    notes="$notes$number $name has been set in line $before already; this line counts
"
  fi
  eval "$name=\$default line_$name=0"
  trim "$given"
  given=$text
  if unquote && [ -n "$value" ] && valid; then
    eval "$name=\$value line_$name=\$number"
  elif [ -n "$why" ]; then
    mistake "$name=$given $why; taken instead: ${default:-what counts without this line}"
  elif [ -n "$default" ]; then
    notes="$notes$number $name has no value, so $default counts
"
  fi
}

# unquote: sets `value`, what `given` means: quotes of both kinds as sh has them, a comment after a blank and #. Outside
# of single quotes a $ or ` would be a variable or a command in sh, and here it is nothing. Sets `why` and fails when
# the value cannot be told.
unquote() {
  value='' why='' rest=$given
  while [ -n "$rest" ]; do
    case $rest in
      \'*\'*)
        rest=${rest#?}
        value=$value${rest%%\'*} rest=${rest#*\'} ;;
      \"*)
        rest=${rest#?}
        double_quoted || return 1 ;;
      \'*) why="has a quote that is not closed"; return 1 ;;
      [\$\`]*) no_variable; return 1 ;;
      \\?*)
        rest=${rest#?}
        value=$value${rest%"${rest#?}"} rest=${rest#?} ;;
      \\) value=$value$rest rest='' ;;
      ["$gaps"]*)
        gap=${rest%%[!"$gaps"]*}
        rest=${rest#"$gap"}
        case $rest in
          '#'*) rest='' ;;
          *) value=$value$gap ;;
        esac ;;
      '#'*)
        # a comment only where the value would begin
        if [ "$rest" = "$given" ]; then rest=''; else value=$value# rest=${rest#?}; fi ;;
      *)
        piece=${rest%%[\'\"\\\$\`\#"$gaps"]*}
        value=$value$piece rest=${rest#"$piece"} ;;
    esac
  done
}

# double_quoted: takes from `rest` what stands before the closing quote, and that too.
double_quoted() {
  while :; do
    piece=${rest%%[\"\\\$\`]*}
    value=$value$piece rest=${rest#"$piece"}
    case $rest in
      '') why="has a quote that is not closed"; return 1 ;;
      \"*) rest=${rest#?}; return 0 ;;
      \\[\"\\\$\`]*)
        rest=${rest#?}
        value=$value${rest%"${rest#?}"} rest=${rest#?} ;;
      \\*) value=$value\\ rest=${rest#?} ;;
      *) no_variable; return 1 ;;
    esac
  done
}

no_variable() {
  why="has a \$ or \`, which stands for nothing here: write what is meant, in single quotes if it is the sign itself"
}

# valid: whether `value` is one of its `kind`; sets `why` if not.
valid() {
  why=''
  case $kind in
    seconds*)
      case $value in
        *[!0-9]*) why='is not a number of seconds' ;;
        *) [ ${#value} -le $DIGITS_MAX ] || why="is too large: a number of seconds has $DIGITS_MAX digits at most" ;;
      esac
      if [ -z "$why" ] && [ "$value" -lt "${kind#seconds }" ]; then why="is less than ${kind#seconds }"; fi ;;
    program | directory)
      case $value in
        /*) ;;
        *) why='is not a path that begins with /' ;;
      esac
      if [ "$kind" = directory ] && [ ${#value} -gt $RUN_DIR_CHARS_MAX ]; then
        why="has ${#value} characters, and sockets in it leave room for $RUN_DIR_CHARS_MAX"
      fi ;;
    text) ;;
    *)
      why="is none of $kind"
      case $value in
        journal:/?*) if [ "$name" = log ] && [ ${#value} -le $LOG_CHARS_MAX ]; then why=''; fi ;;
        *[,N]*) ;;
        fixed:[1-9]*)
          case $name:${value#fixed:} in
            *:*[!0-9]* | *:??????*) ;;
            threads:*) why='' ;;
          esac ;;
        *)
          case ", $kind," in
            *", $value,"*) why='' ;;
          esac ;;
      esac ;;
  esac
  [ -z "$why" ]
}

# ---- what the launcher remembers ----

# word TEXT: adds it to `kept`, as it stands in a command of sh.
word() {
  case $1 in
    *[!A-Za-z0-9_./-]*) ;;
    *)
      kept="$kept$1 "
      return ;;
  esac
  rest=$1 kept="$kept'"
  while :; do
    case $rest in
      *\'*) kept="$kept${rest%%\'*}'\\''" rest=${rest#*\'} ;;
      *) break ;;
    esac
  done
  kept="$kept$rest' "
}

# settle: reads launcher.conf, which install.sh has written, and the settings, and keeps what came of it in
# .settings.conf as long as neither changes: a start reads that, in one piece. It is as old as loomshim.conf, to the
# nanosecond, and is not kept when that file was written within the same tick of the clock: it might be written again.
settle() {
  installed_java='' java_version='' build='' version='' revision='' config='' restore_signals=''
  [ -r "$home/launcher.conf" ] || fail "not installed: $home/launcher.conf is missing"
  # shellcheck source=/dev/null
  . "$home/launcher.conf"
  draft=$home/.settings.conf.$$ keep=false there=false
  if [ -e "$config" ]; then there=true; fi
  if [ -w "$home" ] && command -v touch > /dev/null && command -v mv > /dev/null && command -v rm > /dev/null &&
      { true > "$draft.now"; } 2> /dev/null; then
    keep=true
    if $there; then
      touch -r "$config" -- "$draft.age" 2> /dev/null || keep=false
      # shellcheck disable=SC3013 # dash and busybox know -nt and -ot
      if [ ! "$draft.age" -ot "$draft.now" ] && [ ! "$draft.age" -nt "$draft.now" ]; then keep=false; fi
    fi
  fi
  read_settings "$config"
  if $keep && keep_settings; then news=$mistakes; fi
  if [ -e "$draft.now" ]; then rm -f -- "$draft.now" "$draft.age" "$draft"; fi
}

keep_settings() {
  # one command: a shell is quicker with it than with one for each
  kept=
  for name in installed_java java_version build version revision config restore_signals $SETTINGS line_java \
      line_java_options mistakes there; do
    eval "value=\$$name"
    kept="$kept$name="
    word "$value"
  done
  kept="${kept}settled="
  word "$home"
  # shellcheck disable=SC2320 # the status of a write
  { printf '%s\n' "$kept" > "$draft"; } 2> /dev/null || return 1
  if $there; then touch -r "$draft.age" -- "$draft" || return 1; fi
  mv -f -- "$draft" "$home/.settings.conf" 2> /dev/null
}
