#!/bin/sh
# Creates the cluster once, beside its place, and renames. Runs while an older release is up: touches no existing data.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need COMPONENT_NAME DATA_DIR POSTGRES_PASSWORD POSTGRES_SUPERUSER_PASSWORD

mkdir -p "$DATA_DIR"
if [ -s "$PGDATA/PG_VERSION" ]; then
  check_version
else
  create_cluster "$PGDATA.new"
  settle "$PGDATA.new"
  mv "$PGDATA.new" "$PGDATA"
  log "created a PostgreSQL $POSTGRES_VERSION cluster with the database $POSTGRES_DB"
fi
