#!/bin/sh
# Runs the package's binary in the data directory.
need PREFIX DATA_DIR NPM_PACKAGE LIBSCRIPT_LISTEN_PORT
command=${NPM_COMMAND-}
[ -n "$command" ] || read -r command <"$PREFIX/app/hithe-command"
[ -n "$command" ] || die "$NPM_PACKAGE has several binaries; set NPM_COMMAND to the one to run"
[ -x "$PREFIX/app/node_modules/.bin/$command" ] || die "$NPM_PACKAGE has no binary \"$command\"; correct NPM_COMMAND"
cd "$DATA_DIR" || die "$DATA_DIR cannot be entered"
PATH=$PREFIX/app/node_modules/.bin:$PATH
export PATH
run_command "$command ${NPM_ARGS-}"
