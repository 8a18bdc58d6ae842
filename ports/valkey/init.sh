#!/bin/sh
# Creates the data directory. Runs while an older release is up: touches no existing data.
need DATA_DIR VALKEY_PASSWORD
mkdir -p "$DATA_DIR" "$DATA_DIR/users"
# So that the configuration always finds something to include.
: >"$DATA_DIR/users/none.conf"
