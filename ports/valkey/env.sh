#!/bin/sh
# Where this instance is found, for its own scripts and for the components that need it. Prints nothing.
VALKEY_HOST=$(reachable_host "${LIBSCRIPT_LISTEN_ADDRESS-}")
VALKEY_PORT=${LIBSCRIPT_LISTEN_PORT-6379}
VALKEY_PASSWORD=${VALKEY_PASSWORD-}
VALKEY_SOCKET=${RUN_DIR-}/valkey.sock
VALKEY_URL=redis://default:$(url_encode "$VALKEY_PASSWORD")@$(url_host "$VALKEY_HOST"):$VALKEY_PORT/0
# The name that most clients look for.
REDIS_URL=$VALKEY_URL
export VALKEY_HOST VALKEY_PORT VALKEY_PASSWORD VALKEY_SOCKET VALKEY_URL REDIS_URL
