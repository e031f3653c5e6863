#!/bin/bash
# docs/embedding.md names every function of lungo.h, and its first program is examples/embed/minimal.c.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for f in $(grep -o 'lungo_[a-z_]*(' include/lungo.h | tr -d '(' | sort -u); do
  grep -qw "$f" docs/embedding.md || { echo "docs/embedding.md misses $f"; bad=1; }
done
sed -n '/^```c$/,/^```$/p' docs/embedding.md | sed '1d;$d' >"$tmp/shown"
sed -n '/^#include/,$p' examples/embed/minimal.c | diff "$tmp/shown" - || bad=1
exit $bad
