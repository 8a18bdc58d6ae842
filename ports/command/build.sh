#!/bin/sh
# Copies the source, when there is one, and runs BUILD_COMMAND in it.
need RELEASE_DIR
[ ! -d "${SOURCE_DIR-}" ] || copy_source "$SOURCE_DIR" "$RELEASE_DIR"
cd "$RELEASE_DIR" || die "$RELEASE_DIR cannot be entered"
if [ -n "${BUILD_COMMAND-}" ]; then
  log "building: $BUILD_COMMAND"
  /bin/sh -euc "$BUILD_COMMAND" >&2
fi
