#!/bin/sh
# Copies the site and keeps a compressed copy of each large text beside it, so that serving compresses nothing.
need SOURCE_DIR RELEASE_DIR
[ -d "$SOURCE_DIR/${SITE_DIR:-.}" ] || die "SITE_DIR is \"$SITE_DIR\", but the source has no such directory"
copy_source "$SOURCE_DIR/${SITE_DIR:-.}" "$RELEASE_DIR"
# An upload may carry one time for all files, and nginx makes entity tags of time and size.
find "$RELEASE_DIR" -type f -exec touch {} +
find "$RELEASE_DIR" -type f -size +1k \( -name '*.html' -o -name '*.css' -o -name '*.js' -o -name '*.mjs' -o -name '*.json' -o -name '*.svg' \
  -o -name '*.txt' -o -name '*.xml' -o -name '*.wasm' -o -name '*.webmanifest' \) -exec gzip -9 -k -f -n {} +
