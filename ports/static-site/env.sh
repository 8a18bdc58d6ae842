#!/bin/sh
# What dependants may read. Prints nothing.
HOST=${LIBSCRIPT_LISTEN_ADDRESS-127.0.0.1}
PORT=${LIBSCRIPT_LISTEN_PORT-}
URL=http://$(url_host "$(reachable_host "$HOST")"):$PORT
PATH=$PATH:/usr/sbin
export HOST PORT URL PATH
