#!/bin/sh
# Writes the whole data of the running server, as of one moment, to stdout (RDB format).
# Not by `valkey-cli --rdb`, which leaves a mark of 40 bytes behind the data that makes a server refuse it.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need DATA_DIR VALKEY_SOCKET VALKEY_PASSWORD

# persistence FIELD: one value of `INFO persistence`.
persistence() (
  return_=$(printf '\r')
  client -s "$VALKEY_SOCKET" INFO persistence | while IFS=: read -r name value; do
    [ "$name" != "$1" ] || printf '%s' "${value%"$return_"}"
  done
)

# saved_since COUNT: whether a save has ended since there had been COUNT of them.
saved_since() {
  [ "$(persistence rdb_bgsave_in_progress)" = 0 ] && [ "$(persistence rdb_saves)" -gt "$1" ]
}

saves=$(persistence rdb_saves)
[ -n "$saves" ] || die 'the server does not answer; a backup needs it running'
# SCHEDULE: a rewrite of the log, should one run, goes first.
client -s "$VALKEY_SOCKET" BGSAVE SCHEDULE >&2
wait_for 3600 'writing the data to disk' saved_since "$saves"
[ "$(persistence rdb_last_bgsave_status)" = ok ] || die 'the server could not write its data; is the disk full?'
cat "$DATA_DIR/dump.rdb"
rm -f "$DATA_DIR/dump.rdb"
