#!/bin/sh
# Runs what `npm start` or the Procfile would, without npm in between.
need RELEASE_DIR LIBSCRIPT_LISTEN_PORT
[ -f "$RELEASE_DIR/.hithe/plan" ] || die "there is no build in $RELEASE_DIR; deploy the component again"
# What plan.mjs wrote at the build.
plan_start='' plan_name='' plan_version=''
# shellcheck source=/dev/null
. "$RELEASE_DIR/.hithe/plan"
start=${START_COMMAND:-$plan_start}
[ -n "$start" ] ||
  die 'nothing says how to start the app: add "start" to the scripts of package.json, a Procfile, or set START_COMMAND'

cd "$RELEASE_DIR/${APP_DIR:-.}" || die "the release has no directory \"$APP_DIR\""
PATH=$PWD/node_modules/.bin:$PATH
# What npm sets and apps read.
npm_lifecycle_event=start npm_package_name=$plan_name npm_package_version=$plan_version npm_package_json=$PWD/package.json
export PATH npm_lifecycle_event npm_package_name npm_package_version npm_package_json
run_command "$start"
