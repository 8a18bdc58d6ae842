#!/bin/sh
# A deployment by hand, for comparison: copy, install when needed, stop the old, start the new. The caller polls.
#   plain-deploy.sh SOURCE DIRECTORY NODE
# PORT, DATABASE_URL and VALKEY_URL come from the environment. Keeps `current` (the release) and `pid` in DIRECTORY.
set -eu
source=$1 directory=$2 node=$3
release=$directory/release-$(date +%s%N)
mkdir -p "$release"
(cd "$source" && find . -mindepth 1 -maxdepth 1 ! -name node_modules -exec cp -a {} "$release/" \;)
old=$(readlink "$directory/current" 2>/dev/null || true)
if [ -n "$old" ] && cmp -s "$old/package-lock.json" "$release/package-lock.json"; then
  cp -al "$old/node_modules" "$release/node_modules"
else
  (cd "$release" && npm ci --omit=dev --loglevel=error >/dev/null)
fi
if [ -s "$directory/pid" ]; then
  pid=$(cat "$directory/pid")
  kill "$pid" 2>/dev/null || true
  # A process that has ended may wait for a while to be reaped.
  while grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$pid/status"; do sleep 0.005; done
fi
cd "$release"
"$node" server.js >>"$directory/log" 2>&1 &
echo $! >"$directory/pid"
ln -sfn "$release" "$directory/current"
