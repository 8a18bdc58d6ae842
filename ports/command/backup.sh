#!/bin/sh
# Writes the data directory to stdout.
backup_data
