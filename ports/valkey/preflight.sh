#!/bin/sh
# Checks that change nothing: one JSON line each.
need COMPONENT_DIR
check_command valkey-server
check_disk 64
