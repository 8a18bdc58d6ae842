#!/bin/sh
# The versions that can be installed, newest first: those of nginx.
printf '%s\n' 1.26 1.22
