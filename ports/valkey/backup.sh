#!/bin/sh
# Writes the whole data of the running server, as of one moment, to stdout (RDB format).
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need DATA_DIR VALKEY_SOCKET VALKEY_PASSWORD
client -s "$VALKEY_SOCKET" --rdb -
# What the server wrote to send it.
rm -f "$DATA_DIR/dump.rdb"
