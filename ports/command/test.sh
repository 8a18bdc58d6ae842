#!/bin/sh
# Healthy: by HEALTH_KIND.
[ "${HEALTH_KIND-tcp}" = command ] || {
  check_answer
  return
}
need HEALTH_COMMAND RELEASE_DIR
cd "$RELEASE_DIR" || die "there is no build in $RELEASE_DIR"
/bin/sh -c "$HEALTH_COMMAND"
