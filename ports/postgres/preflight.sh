#!/bin/sh
# Checks that change nothing: one JSON line each.
need COMPONENT_DIR
check_command initdb
check_disk 256
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  check data ok 'a new cluster will be created'
elif same_as "$PGDATA/PG_VERSION" "$POSTGRES_VERSION"; then
  check data ok "the data is of PostgreSQL $POSTGRES_VERSION"
else
  check data error "the data is of PostgreSQL $(cat "$PGDATA/PG_VERSION"), this is $POSTGRES_VERSION" \
    'set the version back, or make a new component and restore a backup into it'
fi
