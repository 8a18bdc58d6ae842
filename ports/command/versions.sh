#!/bin/sh
# The versions that can be installed, newest first: releases of Debian.
printf '%s\n' 13 12
