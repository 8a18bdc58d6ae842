#!/bin/sh
# Prints what a port exports: `exports.sh PORT_DIR NAME…` writes `NAME=value` and a NUL byte for each variable that
# env.sh sets. A name that env.sh leaves unset is left out.
set -eu
umask 077

HITHE_PORT_DIR=$1
shift
HITHE_LIB_DIR=${HITHE_PORT_DIR%/*}/_lib
[ ! -d "${LIBSCRIPT_ROOT_DIR-}/_lib" ] || HITHE_LIB_DIR=$LIBSCRIPT_ROOT_DIR/_lib
export HITHE_PORT_DIR HITHE_LIB_DIR
# shellcheck source=hithe.sh
. "$HITHE_LIB_DIR/hithe.sh"

if [ -f "$HITHE_PORT_DIR/env.sh" ]; then
  SCRIPT_NAME=$HITHE_PORT_DIR/env.sh
  export SCRIPT_NAME
  # Nothing but the variables may reach stdout, whatever env.sh does.
  # shellcheck source=/dev/null
  . "$SCRIPT_NAME" >&2
fi
for name in "$@"; do
  is_name "$name" || die "\"$name\" is not the name of a variable"
  eval "set_=\${$name+yes} value=\${$name-}"
  # shellcheck disable=SC2154 # set by the eval above
  [ -z "$set_" ] || printf '%s=%s\000' "$name" "$value"
done
