#!/bin/sh
# Healthy: the app answers.
check_answer
