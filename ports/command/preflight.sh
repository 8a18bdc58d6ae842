#!/bin/sh
# Checks that change nothing: one JSON line each.
need COMPONENT_DIR
check_disk 64
if [ "${HEALTH_KIND-tcp}" = command ] && [ -z "${HEALTH_COMMAND-}" ]; then
  check health error 'HEALTH_KIND is command and HEALTH_COMMAND is empty' 'set HEALTH_COMMAND, or another HEALTH_KIND'
else
  check health ok "health is proved by ${HEALTH_KIND-tcp}"
fi
