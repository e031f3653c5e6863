#!/bin/bash
# The stress programs of tests/stress for seconds, so that every `make test` runs them; tests/stress.sh runs them long.
# STRESS_ROUNDS: how many rounds each (default 2).
lungo=$1
case $lungo in /*) ;; *) lungo=$PWD/$lungo ;; esac
rounds=${STRESS_ROUNDS:-2}
cd "$(dirname "$0")/../stress" || exit 1
bad=0
for procs in 1 2 4; do
  for f in chan_model shared_tables coroutines_passed closures_shared gc_storm heap_fire strings_shared conc_model; do
    LUNGOMAXPROCS=$procs timeout 60 "$lungo" $f.lua "$rounds" || { echo "FAIL $f.lua $rounds, $procs processors: status $?"; bad=1; }
  done
done
for f in heap_fire strings_shared; do
  LUNGODEBUG=gcstress=1,schedyield=3 LUNGOMAXPROCS=2 timeout 60 "$lungo" $f.lua 1 || { echo "FAIL $f.lua 1, gcstress: status $?"; bad=1; }
done
exit $bad
