#!/bin/sh
# Copies the source, when there is one, and runs BUILD_COMMAND in it. Builds aside and renames.
need RELEASE_DIR BUILD_DIR COMPONENT_DIR
stage=$BUILD_DIR/release
rm -rf "$stage"
mkdir -p "$stage"
[ ! -d "${SOURCE_DIR-}" ] || copy_source "$SOURCE_DIR" "$stage"
cd "$stage" || die "$stage cannot be entered"
if [ -n "${BUILD_COMMAND-}" ]; then
  log "building: $BUILD_COMMAND"
  /bin/sh -euc "$BUILD_COMMAND" >&2
fi
publish_release "$stage"
