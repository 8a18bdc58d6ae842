#!/bin/sh
# Healthy: the server takes the password over the network and answers; one that still loads its data does not.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need VALKEY_PASSWORD
answer=$(client -h "$VALKEY_HOST" -p "$VALKEY_PORT" -t 4 PING 2>&1) || die "no answer: $answer"
[ "$answer" = PONG ] || die "answered \"$answer\""
printf 'answers on %s:%s\n' "$VALKEY_HOST" "$VALKEY_PORT"
