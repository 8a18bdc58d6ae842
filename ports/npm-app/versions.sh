#!/bin/sh
# The versions that can be installed, newest first.
printf '%s\n' 26 25 24 23 22 21 20
