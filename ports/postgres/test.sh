#!/bin/sh
# Healthy: the project's user logs in over the network and its database answers a query.
need POSTGRES_PASSWORD
PGHOST=$POSTGRES_HOST PGPORT=$POSTGRES_PORT PGUSER=$POSTGRES_USER PGPASSWORD=$POSTGRES_PASSWORD PGDATABASE=$POSTGRES_DB
PGCONNECT_TIMEOUT=4 PGAPPNAME=hithe-health
export PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGCONNECT_TIMEOUT PGAPPNAME
answer=$(psql -X -A -t -q -c 'SELECT 1') || exit 1
[ "$answer" = 1 ] || die "the query answered \"$answer\""
printf 'accepts connections on %s:%s\n' "$POSTGRES_HOST" "$POSTGRES_PORT"
