#!/bin/sh
# What the program finds in its environment, and what dependants may read. Prints nothing.
HOST=${LIBSCRIPT_LISTEN_ADDRESS-127.0.0.1}
PORT=${LIBSCRIPT_LISTEN_PORT-}
ADDRESS=$(url_host "$(reachable_host "$HOST")"):$PORT
URL=http://$ADDRESS
# Programs that keep files in the home directory keep them with the data, where backups find them.
HOME=${DATA_DIR:-$HOME}
export HOST PORT ADDRESS URL HOME
