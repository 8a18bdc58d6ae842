#!/bin/sh
# Runs the server in the foreground.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need DATA_DIR RUN_DIR LIBSCRIPT_LISTEN_ADDRESS LIBSCRIPT_LISTEN_PORT VALKEY_PASSWORD

# shellcheck disable=SC2034 # the template uses it
VALKEY_PASSWORD_QUOTED=$(quoted "$VALKEY_PASSWORD")
render_to "$DATA_DIR/valkey.conf" "$HITHE_PORT_DIR/templates/valkey.conf"
rm -f "$VALKEY_SOCKET"
unset VALKEY_PASSWORD VALKEY_PASSWORD_QUOTED VALKEY_URL REDIS_URL
exec valkey-server "$DATA_DIR/valkey.conf"
