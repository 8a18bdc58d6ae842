#!/bin/sh
# Data of another major version is not converted in place: refuses before touching anything.
need FROM_VERSION TO_VERSION
[ "$FROM_VERSION" != "$TO_VERSION" ] || return 0
die "PostgreSQL $TO_VERSION cannot run on the data of $FROM_VERSION; back the component up, make a new one with version" \
  "$TO_VERSION, and restore the backup into it"
