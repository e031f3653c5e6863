#!/bin/bash
# Random programs must print the same under lungo and lua5.4 (tests/fuzz/diff.lua; make stress runs many more).
# RANDOM_DIFF_SEED: the first seed (default 1); RANDOM_DIFF_COUNT: how many (default 500). A program that differs is
# printed, made small, with its seed.
set -u
lungo=$1
case $lungo in /*) ;; *) lungo=$PWD/$lungo ;; esac
cd "$(dirname "$0")/../.." || exit 1
lua5.4 tests/fuzz/diff.lua "$lungo" "${RANDOM_DIFF_SEED:-1}" "${RANDOM_DIFF_COUNT:-500}"
