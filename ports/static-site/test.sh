#!/bin/sh
# Healthy: nginx answers for the site.
check_answer
