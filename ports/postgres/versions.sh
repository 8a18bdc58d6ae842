#!/bin/sh
# The versions that can be installed, newest first.
printf '%s\n' 18 17 15 13
