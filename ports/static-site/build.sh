#!/bin/sh
# Copies the site and keeps a compressed copy of each large text beside it, so that serving compresses nothing.
need SOURCE_DIR RELEASE_DIR BUILD_DIR COMPONENT_DIR
stage=$BUILD_DIR/release
rm -rf "$stage"
[ -d "$SOURCE_DIR/${SITE_DIR:-.}" ] || die "SITE_DIR is \"$SITE_DIR\", but the source has no such directory"
copy_source "$SOURCE_DIR/${SITE_DIR:-.}" "$stage"
# An upload may carry one time for all files, and nginx makes entity tags of time and size.
find "$stage" -type f -exec touch {} +
find "$stage" -type f -size +1k \( -name '*.html' -o -name '*.css' -o -name '*.js' -o -name '*.mjs' -o -name '*.json' -o -name '*.svg' \
  -o -name '*.txt' -o -name '*.xml' -o -name '*.wasm' -o -name '*.webmanifest' \) -exec gzip -9 -k -f -n {} +
publish_release "$stage"
