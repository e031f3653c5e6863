#!/bin/bash
# Runs the fuzz targets: tests/fuzz/run.sh BUILD_DIR [TARGET]
#   FUZZ_SECONDS  for each target (default 60)
# Corpora live in BUILD_DIR/corpus/TARGET and grow from run to run; the first inputs come from tests/fuzz/seeds.lua.
# An input that fails is kept in BUILD_DIR/crash/ and printed with the command that repeats it; status 1.
set -u
build=$1
only=${2:-}
cd "$(dirname "$0")/../.." || exit 1
seconds=${FUZZ_SECONDS:-60}
targets="text tokens binary strings numbers"
export LUNGOMAXPROCS=1
export ASAN_OPTIONS="allocator_may_return_null=1 ${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1 ${UBSAN_OPTIONS:-}"

max_len() { case $1 in tokens) echo 200 ;; numbers) echo 250 ;; strings) echo 128 ;; *) echo 4096 ;; esac; }

mkdir -p "$build/crash"
seeds=$build/seeds
rm -rf "$seeds"
for t in $targets; do mkdir -p "$seeds/$t" "$build/corpus/$t"; done
find tests examples -name '*.lua' -not -path 'tests/packages/*' | LC_ALL=C sort |
  xargs "$build/lungo" tests/fuzz/seeds.lua "$seeds" || exit 1

failed=0
for t in $targets; do
  [ -z "$only" ] || [ "$only" = "$t" ] || continue
  dict=""
  [ "$t" = text ] && dict=-dict=tests/fuzz/tokens.dict
  "$build/fuzz/$t" -max_total_time="$seconds" -max_len="$(max_len "$t")" -timeout=30 -rss_limit_mb=2048 $dict \
    -artifact_prefix="$build/crash/$t-" -print_final_stats=1 "$build/corpus/$t" "$seeds/$t" >"$build/crash/$t.log" 2>&1
  if [ $? -eq 0 ]; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/crash/$t.log")
    cov=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$build/crash/$t.log" | tail -1)
    echo "PASS $t: $runs inputs, $cov edges"
  else
    failed=1
    echo "FAIL $t: see $build/crash/$t.log"
    tail -n +1 "$build/crash/$t.log" | grep -v '^#[0-9]*\s' | tail -40
    for c in $(sed -n 's/.*Test unit written to //p' "$build/crash/$t.log"); do echo "  again: $build/fuzz/$t $c"; done
  fi
done
exit $failed
