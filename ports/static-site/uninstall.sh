#!/bin/sh
# Removes the stopped instance; its data stays when HITHE_KEEP_DATA is set.
remove_instance
