#!/bin/sh
# Runs the server in the foreground.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need RUN_DIR LIBSCRIPT_LISTEN_ADDRESS LIBSCRIPT_LISTEN_PORT POSTGRES_PASSWORD POSTGRES_SUPERUSER_PASSWORD

check_version
# Left by a killed server, with a process id of its own namespace that somebody else has in this one. That no second
# server runs on this data is the supervisor's lock, which namespaces do not defeat.
rm -f "$PGDATA/postmaster.pid" "$RUN_DIR/.s.PGSQL."*
render_to "$PGDATA/hithe.conf" "$HITHE_PORT_DIR/templates/hithe.conf"
# A changed password, user or database is applied here, since init.sh runs beside the old release.
same_as "$PGDATA/hithe.settled" "$(settled)" || settle "$PGDATA"
# The server has no use for the secrets that its scripts needed.
unset POSTGRES_URL POSTGRES_PASSWORD POSTGRES_SUPERUSER_PASSWORD
exec postgres -D "$PGDATA"
