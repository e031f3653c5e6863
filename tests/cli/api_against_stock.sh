#!/bin/bash
# The C API tests expect what Lua does: the same files, linked with the package's Lua library, pass too.
cc=${CC:-gcc}
inc=${LUA_INC:-/usr/include/lua5.4}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
for f in tests/unit/api_*test.c; do
  t=$(basename "$f" .c)
  "$cc" -D_GNU_SOURCE -O0 -w -I"$inc" "$f" -o "$tmp/$t" -llua5.4 -lm -pthread || { bad=1; continue; }
  timeout 60 "$tmp/$t" >"$tmp/out" 2>&1 || { echo "$t:"; tail -3 "$tmp/out"; bad=1; }
done
exit $bad
