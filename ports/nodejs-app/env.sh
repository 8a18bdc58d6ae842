#!/bin/sh
# What the app finds in its environment, and what dependants may read. Prints nothing.
# shellcheck source=../nodejs/env.sh
. "$LIBSCRIPT_ROOT_DIR/nodejs/env.sh"
HOST=${LIBSCRIPT_LISTEN_ADDRESS-127.0.0.1}
PORT=${LIBSCRIPT_LISTEN_PORT-}
URL=http://$(url_host "$(reachable_host "$HOST")"):$PORT
NODE_ENV=${NODE_ENV:-production}
export HOST PORT URL NODE_ENV
