#!/bin/sh
# Where this instance is found, for its own scripts and for the components that need it. Prints nothing.
: "${POSTGRES_VERSION:?}"
POSTGRES_BIN=/usr/lib/postgresql/$POSTGRES_VERSION/bin
PATH=$POSTGRES_BIN:$PATH
PGDATA=${DATA_DIR-}/pgdata

POSTGRES_USER=${POSTGRES_USER-app}
POSTGRES_DB=${POSTGRES_DB-app}
POSTGRES_PASSWORD=${POSTGRES_PASSWORD-}
POSTGRES_HOST=$(reachable_host "${LIBSCRIPT_LISTEN_ADDRESS-}")
POSTGRES_PORT=${LIBSCRIPT_LISTEN_PORT-5432}
POSTGRES_SOCKET_DIR=${RUN_DIR-}
POSTGRES_URL=postgresql://$(url_encode "$POSTGRES_USER"):$(url_encode "$POSTGRES_PASSWORD")@$(url_host "$POSTGRES_HOST"):$POSTGRES_PORT/$(url_encode "$POSTGRES_DB")
# The collation that every closure has: the same order of strings on every host, for ever.
LC_ALL=C.UTF-8
export POSTGRES_VERSION POSTGRES_BIN PATH PGDATA LC_ALL
export POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD POSTGRES_HOST POSTGRES_PORT POSTGRES_SOCKET_DIR POSTGRES_URL
