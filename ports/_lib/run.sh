#!/bin/sh
# Runs one script of a port: `run.sh SCRIPT [ARGUMENT…]`, SCRIPT being its full path.
#
# Sources hithe.sh, the port's env.sh and then the script in this same shell, so that an `exec` in start.sh
# replaces everything. The script sees HITHE_PORT_DIR (its own directory), its arguments as "$@", and
# `set -eu` is on.
set -eu

HITHE_SCRIPT=$1
shift
case $HITHE_SCRIPT in
  /*) ;;
  *) HITHE_SCRIPT=$(pwd)/$HITHE_SCRIPT ;;
esac
HITHE_PORT_DIR=${HITHE_SCRIPT%/*}
HITHE_LIB_DIR=${HITHE_PORT_DIR%/*}/_lib
[ ! -d "${LIBSCRIPT_ROOT_DIR-}/_lib" ] || HITHE_LIB_DIR=$LIBSCRIPT_ROOT_DIR/_lib
# What setup.sh installs is for every tenant to read; everything else belongs to one.
case $HITHE_SCRIPT in
  */setup.sh) umask 022 ;;
  *) umask 077 ;;
esac
export HITHE_SCRIPT HITHE_PORT_DIR HITHE_LIB_DIR
# shellcheck source=hithe.sh
. "$HITHE_LIB_DIR/hithe.sh"

# libscript's scripts find their own directory by SCRIPT_NAME, because $0 is not theirs when they are sourced.
if [ -f "$HITHE_PORT_DIR/env.sh" ]; then
  SCRIPT_NAME=$HITHE_PORT_DIR/env.sh
  export SCRIPT_NAME
  # shellcheck source=/dev/null
  . "$SCRIPT_NAME"
fi
[ -f "$HITHE_SCRIPT" ] || die "there is no script $HITHE_SCRIPT"
SCRIPT_NAME=$HITHE_SCRIPT
export SCRIPT_NAME
# shellcheck source=/dev/null
. "$SCRIPT_NAME"
