# shellcheck shell=sh
# What every script of a port may use; run.sh sources it first. POSIX sh, no program but the shell and coreutils.
# Functions with a body in parentheses run in a subshell: their variables stay their own.

# log MESSAGE…: one line for people, on stderr.
log() {
  printf '%s\n' "$*" >&2
}

# die MESSAGE…: says why on stderr and ends the script with status 1.
die() {
  log "error: $*"
  exit 1
}

# is_name WORD: whether WORD can be the name of a variable.
is_name() {
  case ${1-} in
    '' | [0-9]* | *[!A-Za-z0-9_]*) return 1 ;;
  esac
}

# need NAME…: ends the script unless each variable is set and not empty.
need() {
  for need_name in "$@"; do
    eval "need_value=\${$need_name-}"
    # shellcheck disable=SC2154 # set by the eval above
    [ -n "$need_value" ] || die "$need_name is not set"
  done
}

# is_true VALUE: whether a boolean var is on.
is_true() {
  case ${1-} in
    true | 1 | yes | on) return 0 ;;
    *) return 1 ;;
  esac
}

# render TEMPLATE: prints the file with each ${NAME} replaced by that variable's value, which is taken as it is:
# nothing in it is expanded again. Ends the script on a variable that is not set. `$NAME` and `$(…)` are left alone.
render() (
  open="\${"
  while IFS= read -r line || [ -n "$line" ]; do
    out=
    while :; do
      case $line in
        *"$open"*'}'*) ;;
        *) break ;;
      esac
      out=$out${line%%"$open"*}
      line=${line#*"$open"}
      name=${line%%'}'*}
      if is_name "$name"; then
        eval "set_=\${$name+yes} value=\${$name-}"
        # shellcheck disable=SC2154 # both are set by the eval above
        [ -n "$set_" ] || die "$1 needs $name, which is not set"
        # shellcheck disable=SC2154
        out=$out$value
        line=${line#*'}'}
      else
        out=$out$open
      fi
    done
    printf '%s\n' "$out$line"
  done <"$1"
)

# render_to FILE TEMPLATE: renders beside FILE and renames, so that FILE is whole or as it was; readable by its owner only.
render_to() {
  render "$2" >"$1.new" || exit 1
  mv -f "$1.new" "$1"
}

# wait_for SECONDS WHAT COMMAND…: tries COMMAND until it succeeds; ends the script when the time is over.
wait_for() {
  wait_for_end=$(($(date +%s) + $1))
  wait_for_what=$2
  shift 2
  until "$@"; do
    [ "$(date +%s)" -lt "$wait_for_end" ] || die "$wait_for_what: not within the time allowed"
    sleep 0.05
  done
}

# url_encode TEXT: percent-encodes everything but unreserved characters.
url_encode() (
  LC_ALL=C
  export LC_ALL
  rest=$1
  out=
  while [ -n "$rest" ]; do
    char=${rest%"${rest#?}"}
    rest=${rest#?}
    case $char in
      [A-Za-z0-9._~-]) out=$out$char ;;
      *) out=$out$(printf '%%%02X' "$(($(printf '%d' "'$char") & 255))") ;;
    esac
  done
  printf '%s' "$out"
)

# json_string TEXT: TEXT as a JSON string, quotes included.
json_string() (
  LC_ALL=C
  export LC_ALL
  rest=$1
  out=
  while [ -n "$rest" ]; do
    char=${rest%"${rest#?}"}
    rest=${rest#?}
    case $char in
      '"' | \\) out=$out\\$char ;;
      [[:cntrl:]]) out=$out$(printf '\\u%04x' "'$char") ;;
      *) out=$out$char ;;
    esac
  done
  printf '"%s"' "$out"
)

# check NAME ok|warn|error MESSAGE [FIX]: one line of a preflight, as JSON.
check() {
  printf '{"check":%s,"status":"%s","message":%s' "$(json_string "$1")" "$2" "$(json_string "$3")"
  [ -z "${4-}" ] || printf ',"fix":%s' "$(json_string "$4")"
  printf '}\n'
}

# check_disk MEGABYTES: preflight of the free space where the component lives, or will live.
check_disk() {
  check_disk_dir=$COMPONENT_DIR
  while [ ! -d "$check_disk_dir" ]; do check_disk_dir=$(dirname "$check_disk_dir"); done
  check_disk_free=$(df -Pm "$check_disk_dir" | {
    read -r _
    read -r _ _ _ free _
    printf '%s' "$free"
  })
  if [ "$check_disk_free" -ge "$1" ]; then
    check disk ok "$check_disk_free MB are free, $1 MB are wanted"
  else
    check disk error "only $check_disk_free MB are free, $1 MB are wanted" "free some space on the file system of $check_disk_dir"
  fi
}

# check_command PROGRAM: preflight of a program that the closure must hold.
check_command() {
  if command -v "$1" >/dev/null 2>&1; then
    check "program-$1" ok "$1 is installed"
  else
    check "program-$1" error "$1 is not in the install of this port" "rebuild the port's store entry"
  fi
}

# reachable_host ADDRESS: the address under which this machine reaches a listener on ADDRESS.
reachable_host() {
  case $1 in
    '' | 0.0.0.0 | '*') printf '127.0.0.1' ;;
    ::) printf '::1' ;;
    *) printf '%s' "$1" ;;
  esac
}

# url_host ADDRESS: the address as a URL wants it: brackets around IPv6.
url_host() {
  case $1 in
    *:*) printf '[%s]' "$1" ;;
    *) printf '%s' "$1" ;;
  esac
}

# digest_of TEXT: a short digest, to tell whether something changed.
digest_of() (
  sum=$(printf '%s' "$1" | sha256sum)
  printf '%.32s' "$sum"
)

# same_as FILE TEXT: whether FILE holds exactly TEXT in its only line.
same_as() (
  [ -f "$1" ] || exit 1
  IFS= read -r text <"$1" || [ -n "$text" ] || exit 1
  [ "$text" = "$2" ]
)

# write_line FILE TEXT: makes TEXT the only line of FILE, whole or not at all.
write_line() {
  printf '%s\n' "$2" >"$1.new"
  mv -f "$1.new" "$1"
}

# remove_instance: removes all that a component left in its directories; its data stays when HITHE_KEEP_DATA is true.
remove_instance() (
  need COMPONENT_DIR
  rm -rf "${COMPONENT_DIR:?}/cache"
  for directory in build download home log releases run source; do empty "$COMPONENT_DIR/$directory"; done
  is_true "${HITHE_KEEP_DATA-}" || empty "$DATA_DIR"
)

# empty DIRECTORY: removes what is in it; the directory itself, which may be mounted, stays.
empty() (
  for entry in "${1:?}"/* "$1"/.[!.]* "$1"/..?*; do rm -rf "$entry"; done
)

# check_answer: healthy when the component answers over the network, by HEALTH_KIND: `http` (HEALTH_PATH answers with a
# status in HEALTH_STATUS, such as 200-399), `tcp` (takes connections), `none` (its process runs, which the caller knows).
check_answer() (
  address=$(reachable_host "${LIBSCRIPT_LISTEN_ADDRESS-}")
  where=$(url_host "$address"):$LIBSCRIPT_LISTEN_PORT
  case ${HEALTH_KIND-http} in
    none) printf 'runs; nothing else is checked\n' ;;
    tcp)
      # curl has no way to connect and say nothing; bash has.
      # shellcheck disable=SC2016 # bash expands it
      timeout 4 bash -c ': <"/dev/tcp/$1/$2"' - "$address" "$LIBSCRIPT_LISTEN_PORT" 2>/dev/null || die "nothing listens on $where"
      printf 'takes connections on %s\n' "$where"
      ;;
    http)
      path=${HEALTH_PATH-/}
      range=${HEALTH_STATUS-200-399}
      status=$(curl -s -o /dev/null --max-time 4 --noproxy '*' -A hithe-health -w '%{http_code}' "http://$where$path") || {
        code=$?
        [ "$code" != 28 ] || die "http://$where$path did not answer within 4 seconds"
        [ "$status" != 000 ] || die "http://$where$path does not answer (curl ended with $code)"
      }
      if [ "$status" -lt "${range%-*}" ] || [ "$status" -gt "${range#*-}" ]; then
        die "http://$where$path answers $status, not $range"
      fi
      printf '%s answers %s\n' "$path" "$status"
      ;;
    *) die "HEALTH_KIND is \"$HEALTH_KIND\"; it can be http, tcp or none" ;;
  esac
)

# The last file of a data archive: one without it is cut short, which tar does not always notice.
ARCHIVE_END=.hithe-end-of-archive

# backup_data: the files of the data directory as a tar archive on stdout. Files that change meanwhile are as of their reading.
backup_data() (
  need DATA_DIR
  mkdir -p "$DATA_DIR"
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/backup.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  : >"$scratch/$ARCHIVE_END"
  # Status 1 says that a file changed while it was read.
  tar -cf - -C "$DATA_DIR" . -C "$scratch" "$ARCHIVE_END" || [ $? = 1 ] || die 'the data directory could not be read'
)

# restore_data: replaces the data directory of a stopped component by the tar archive on stdin; on failure it stays as it was.
restore_data() {
  need DATA_DIR COMPONENT_NAME
  rm -rf "$DATA_DIR.new" "$DATA_DIR.old"
  mkdir -p "$DATA_DIR.new"
  if ! tar -C "$DATA_DIR.new" -xf - || [ ! -f "$DATA_DIR.new/$ARCHIVE_END" ]; then
    rm -rf "$DATA_DIR.new"
    die 'the archive is damaged or cut short; the data is as it was'
  fi
  rm -f "$DATA_DIR.new/$ARCHIVE_END"
  sync -f "$DATA_DIR.new"
  [ ! -d "$DATA_DIR" ] || mv "$DATA_DIR" "$DATA_DIR.old"
  mv "$DATA_DIR.new" "$DATA_DIR"
  rm -rf "$DATA_DIR.old"
  log "restored $COMPONENT_NAME"
}

# is_list COMMAND: whether a command line may be more than one simple command. Quoted text does not count; a backslash
# makes the answer yes, since it can hide a quote.
is_list() (
  rest=$1
  while :; do
    case $rest in
      *\\* | *'
'*) return 0 ;;
      *[\"\']*) ;;
      *) break ;;
    esac
    plain=${rest%%[\"\']*}
    rest=${rest#"$plain"}
    quote=${rest%"${rest#?}"}
    rest=${rest#?}
    case $plain in
      *[\;\&\|\(\)\`]*) return 0 ;;
    esac
    case $rest in
      *"$quote"*) rest=${rest#*"$quote"} ;;
      *) return 0 ;;
    esac
  done
  case $rest in
    *[\;\&\|\(\)\`]*) return 0 ;;
    *) return 1 ;;
  esac
)

# run_command COMMAND: replaces the script by COMMAND, as a shell would run it. One command becomes the process itself,
# so that it gets the signals; a list of commands keeps its shell.
run_command() {
  run_command_line=${1#exec }
  if is_list "$run_command_line"; then
    exec /bin/sh -c "$run_command_line"
  else
    exec /bin/sh -c "exec env $run_command_line"
  fi
}

# copy_source FROM TO: copies an app's source, without what git keeps and what somebody installed.
copy_source() (
  from=$1 to=$2
  set --
  for entry in "$from"/* "$from"/.[!.]* "$from"/..?*; do
    case ${entry##*/} in
      .git | node_modules | .hithe) ;;
      *) if [ -e "$entry" ] || [ -L "$entry" ]; then set -- "$@" "$entry"; fi ;;
    esac
  done
  [ -d "$to" ] || mkdir -p "$to"
  # One process for all: on a warm deploy, processes are what takes the time.
  [ $# -eq 0 ] || cp -a -- "$@" "$to/"
)
