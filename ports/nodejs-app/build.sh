#!/bin/sh
# Turns SOURCE_DIR into RELEASE_DIR: copies the code, installs what package.json and its lockfile ask for, runs the
# build. The installed tree is kept by the digest of what it was made from, so that unchanged dependencies cost a copy of
# hard links.
need SOURCE_DIR RELEASE_DIR BUILD_DIR COMPONENT_DIR
app_dir=${APP_DIR:-.}
build=${BUILD_COMMAND-auto}
cache=$COMPONENT_DIR/cache
# RELEASE_DIR under the name that it has beside the cache: there are no hard links from one mount to another.
stage=$BUILD_DIR/release/$app_dir
copy_source "$SOURCE_DIR" "$RELEASE_DIR"
if [ ! -d "$cache/modules" ] || [ ! -d "$cache/plans" ]; then mkdir -p "$cache/modules" "$cache/plans"; fi
cd "$RELEASE_DIR/$app_dir" || die "APP_DIR is \"$app_dir\", but the source has no such directory"
[ -f package.json ] || [ -f Procfile ] || [ -n "${START_COMMAND-}" ] ||
  die 'the source has neither package.json nor Procfile; add one, set APP_DIR to where it is, or set START_COMMAND'

# Everything that decides what is installed and how the app starts. As few processes as can be: they are what a warm build takes.
files=
for file in package.json package-lock.json npm-shrinkwrap.json .npmrc Procfile; do
  [ ! -f "$file" ] || files="$files $file"
done
# shellcheck disable=SC2046,SC2086 # lists of fixed names and of digests
set -- $(printf '%s\n' "3 $NODEJS_APP_VERSION $NODE_ENV $app_dir $build ${PROCESS_TYPE-web}$files" | sha256sum -- - $files)
key=
while [ $# -gt 1 ]; do
  key=$key${1%"${1#????????????????????????}"}
  shift 2
done
[ -n "$key" ] || die 'the files of the app could not be read'

if [ ! -s "$cache/plans/$key" ]; then
  node "$HITHE_PORT_DIR/plan.mjs" "${PROCESS_TYPE-web}" "$build" >"$cache/plans/$key.new"
  mv "$cache/plans/$key.new" "$cache/plans/$key"
fi
mkdir -p "$RELEASE_DIR/.hithe"
while IFS= read -r line; do printf '%s\n' "$line"; done <"$cache/plans/$key" >"$RELEASE_DIR/.hithe/plan"
# What plan.mjs wrote.
plan_install='' plan_build='' plan_lifecycle='' plan_cacheable=''
# shellcheck source=/dev/null
. "$RELEASE_DIR/.hithe/plan"

kept=$cache/modules/$key
if [ -z "$plan_install" ]; then
  log 'no dependencies to install'
elif [ -n "$plan_cacheable" ] && [ -d "$kept" ]; then
  cp -al "$kept/node_modules" "$stage/node_modules"
  : >"$kept/used"
  log 'dependencies are as they were'
  # npm would run these scripts of the app itself after an install; the code that they belong to may have changed.
  [ -z "$plan_lifecycle" ] || /bin/sh -c "$plan_lifecycle" >&2
else
  log "installing dependencies: $plan_install"
  eval "$plan_install" >&2
  if [ -n "$plan_cacheable" ] && [ -d node_modules ]; then
    rm -rf "$kept.new"
    mkdir "$kept.new"
    cp -al "$stage/node_modules" "$kept.new/node_modules"
    : >"$kept.new/used"
    mv -T "$kept.new" "$kept"
  fi
fi

if [ -n "$plan_build" ]; then
  log "building: $plan_build"
  PATH=$PWD/node_modules/.bin:$PATH /bin/sh -c "$plan_build" >&2
fi

# The three trees used last are enough for going back and forth.
set -- "$cache/modules"/*
[ $# -le 3 ] ||
  (cd "$cache/modules" && find . -mindepth 2 -maxdepth 2 -name used -printf '%T@ %h\n' | sort -rn | tail -n +4 | while read -r _ old; do rm -rf "$old"; done)
