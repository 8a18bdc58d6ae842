#!/bin/sh
# The versions that can be installed, newest first.
printf '%s\n' 9 8
