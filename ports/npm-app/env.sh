#!/bin/sh
# What the app finds in its environment, and what dependants may read. Prints nothing.
# shellcheck source=../nodejs/env.sh
. "$LIBSCRIPT_ROOT_DIR/nodejs/env.sh"
HOST=${LIBSCRIPT_LISTEN_ADDRESS-127.0.0.1}
PORT=${LIBSCRIPT_LISTEN_PORT-}
URL=http://$(url_host "$(reachable_host "$HOST")"):$PORT
NODE_ENV=${NODE_ENV:-production}
# Programs that keep files in the home directory keep them with the data, where backups find them.
HOME=${DATA_DIR:-$HOME}
export HOST PORT URL NODE_ENV HOME
