#!/bin/bash
# Random programs (tests/stress/gen.lua) must print the same under lungo and lua5.4.
# RANDOM_DIFF_SEED: first seed (default 1); RANDOM_DIFF_COUNT: how many (default 150). The failing seed is printed.
set -u
lungo=$1
first=${RANDOM_DIFF_SEED:-1} count=${RANDOM_DIFF_COUNT:-150}
dir=$(cd "$(dirname "$0")/../stress" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
cd "$tmp" || exit 1
for ((seed = first; seed < first + count; seed++)); do
  lua5.4 "$dir/gen.lua" "$seed" >p.lua
  timeout 20 lua5.4 p.lua >want 2>want.err
  timeout 20 "$lungo" p.lua >got 2>got.err
  status=$?
  if [ $status -ne 0 ] || ! cmp -s want got; then
    echo "seed $seed (status $status): lua5.4 tests/stress/gen.lua $seed >p.lua, then compare the output of p.lua"
    diff want got | head -6
    head -3 got.err
    failed=1
    [ "${RANDOM_DIFF_ALL:-}" ] || break
  fi
done
exit $failed
