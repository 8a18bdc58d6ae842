#!/bin/sh
# A newer server reads the data of an older one as it is; the other way round it may not, so that is refused.
need FROM_VERSION TO_VERSION
[ "$FROM_VERSION" -le "$TO_VERSION" ] ||
  die "Valkey $TO_VERSION cannot be relied on to read the data of $FROM_VERSION; restore a backup that $TO_VERSION made, or start empty"
