#!/bin/sh
# Creates the directory for what the app keeps.
need DATA_DIR
mkdir -p "$DATA_DIR"
