#!/bin/sh
# Replaces the data directory of the stopped app by the archive on stdin.
restore_data
