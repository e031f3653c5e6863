#!/bin/bash
# The tests of channels and select, and random programs over them, with two ends for every buffer (LUNGODEBUG=widering=1),
# which otherwise only large ones have.
lungo=$1
case $lungo in /*) ;; *) lungo=$PWD/$lungo ;; esac
build=$(dirname "$lungo")
cd "$(dirname "$0")/../.." || exit 1
export LUNGODEBUG=widering=1
bad=0 n=0
for f in tests/runtime/{chan,select,leaks}_*.lua tests/golike/{chan,select}_*.lua tests/golike/order_of_waiters.lua; do
  result=$(tests/one.sh "$build" "${f#tests/}" 2)
  n=$((n + 1))
  case $result in PASS*) ;; *) echo "$result"; bad=1 ;; esac
done
for procs in 1 2 4; do
  for f in chan_model conc_model; do
    (cd tests/stress && LUNGOMAXPROCS=$procs timeout 100 "$lungo" $f.lua 4) || { echo "FAIL $f, $procs processors: status $?"; bad=1; }
  done
done
[ $n -ge 40 ] || { echo "only $n tests found"; bad=1; }
exit $bad
