#!/bin/sh
# Replaces the data of a stopped instance by the dump on stdin (RDB format). The old data stays until the new is whole.
need COMPONENT_NAME DATA_DIR
mkdir -p "$DATA_DIR"
files=$DATA_DIR/appendonlydir
rm -rf "$files.new"
mkdir "$files.new"
cat >"$files.new/appendonly.aof.1.base.rdb"
valkey-check-rdb "$files.new/appendonly.aof.1.base.rdb" >&2 || {
  rm -rf "$files.new"
  die 'the dump is damaged or cut short; the data is as it was'
}
: >"$files.new/appendonly.aof.1.incr.aof"
cat >"$files.new/appendonly.aof.manifest" <<'MANIFEST'
file appendonly.aof.1.base.rdb seq 1 type b
file appendonly.aof.1.incr.aof seq 1 type i
MANIFEST
sync -f "$files.new"
rm -rf "$files.old"
[ ! -d "$files" ] || mv "$files" "$files.old"
mv "$files.new" "$files"
rm -rf "$files.old"
log "restored $COMPONENT_NAME"
