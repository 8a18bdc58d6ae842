#!/bin/sh
# Checks that change nothing: one JSON line each.
need COMPONENT_DIR
check_command nginx
check_disk 32
