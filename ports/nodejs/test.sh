#!/bin/sh
# Healthy: the runtime runs a program, and is the version that was asked for.
version=$(node -p 'process.versions.node')
[ "${version%%.*}" = "${NODEJS_VERSION%%.*}" ] || die "node is $version, not $NODEJS_VERSION"
npm=$(npm --version)
printf 'node %s, npm %s\n' "$version" "$npm"
