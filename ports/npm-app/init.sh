#!/bin/sh
# Creates the data directory, which is also the home directory and where the app starts.
need DATA_DIR
mkdir -p "$DATA_DIR"
