#!/bin/sh
# Replaces the files that the stopped app keeps by the archive on stdin.
restore_data
