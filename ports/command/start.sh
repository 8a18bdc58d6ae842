#!/bin/sh
# Runs START_COMMAND in the directory of the release.
need RELEASE_DIR START_COMMAND
cd "$RELEASE_DIR" || die "there is no build in $RELEASE_DIR; deploy the component again"
PATH=$RELEASE_DIR/bin:$PATH
export PATH
run_command "$START_COMMAND"
