#!/bin/sh
# Creates the data directory.
need DATA_DIR
mkdir -p "$DATA_DIR"
