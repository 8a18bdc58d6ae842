#!/bin/sh
# Replaces the data of a stopped instance by the dump on stdin. Works beside the old data and switches at the end, so
# that a failure leaves the old data as it was.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need COMPONENT_NAME DATA_DIR POSTGRES_PASSWORD POSTGRES_SUPERUSER_PASSWORD

IFS= read -r header || die 'the dump is empty'
case $header in
  '-- hithe dump of postgres '*) ;;
  *) die 'this is not a dump that the postgres port made' ;;
esac

mkdir -p "$DATA_DIR"
create_cluster "$PGDATA.new"

# A server of its own: no network, and a socket where nobody looks.
RUN_DIR=$(mktemp -d "${TMPDIR:-/tmp}/restore.XXXXXX")
postgres -D "$PGDATA.new" -c listen_addresses= -c unix_socket_directories="$RUN_DIR" -c port="$POSTGRES_PORT" \
  -c log_min_error_statement=panic -c log_min_messages=fatal -c jit=off -c fsync=off -c maintenance_work_mem=256MB >&2 &
server=$!
trap 'kill -QUIT "$server" 2>/dev/null || true; rm -rf "$RUN_DIR" "$PGDATA.new"' EXIT
wait_for 60 'start of the server for the restore' as_superuser pg_isready -q

as_superuser psql -X -q -A -t -v ON_ERROR_STOP=1 -d template1 >"$RUN_DIR/output" ||
  die 'the dump could not be restored; the data is as it was'
last=
while IFS= read -r line; do last=$line; done <"$RUN_DIR/output"
[ "$last" = "$DUMP_MARK" ] || die 'the dump is cut short; the data is as it was'
kill -INT "$server"
wait "$server"
settle "$PGDATA.new"
sync -f "$PGDATA.new"
trap 'rm -rf "$RUN_DIR"' EXIT

rm -rf "$PGDATA.old"
[ ! -d "$PGDATA" ] || mv "$PGDATA" "$PGDATA.old"
mv "$PGDATA.new" "$PGDATA"
rm -rf "$PGDATA.old"
log "restored $COMPONENT_NAME"
