#!/bin/sh
# Checks that change nothing: one JSON line each.
check_command node
check_command npm
