#!/bin/bash
# What is tested of read-write mutexes, once more with each of them spread at every chance (LUNGODEBUG=rwspread): without
# it only readers that meet often are.
# Protects: runtime/rwmutex.c.
lungo=$1
build=$(dirname "$lungo")
cd "$(dirname "$0")/../.." || exit 1
bad=0
for debug in rwspread rwspread,schedyield=3 rwspread,gcstress=7,schedyield=5; do
  export LUNGODEBUG=$debug
  for f in runtime/{rwmutex_readers,sync_rwmutex,sync_cond,leaks_kinds} golike/{sync_rwmutex,no_starvation,order_of_waiters} \
    regress/cond_unlocked_rwmutex stdlib/sync_{errors,locker_cond} vm/quick_calls race/silent_rwmutex{,_second_look}; do
    for procs in 1 2 4; do
      out=$(tests/one.sh "$build" $f.lua $procs)
      case $out in PASS*) ;; *) echo "$out, LUNGODEBUG=$debug"; bad=1 ;; esac
    done
  done
done
export LUNGODEBUG=rwspread
for f in interrupt_test embed_giveback_test; do
  out=$(tests/one.sh "$build" unit/$f 2)
  case $out in PASS*) ;; *) echo "$out, LUNGODEBUG=$LUNGODEBUG"; bad=1 ;; esac
done
(cd tests/stress && LUNGOMAXPROCS=4 "$lungo" conc_model.lua 2) || bad=1
exit $bad
