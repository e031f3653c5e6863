#!/bin/bash
# The long tests: tests/stress.sh BUILD_DIR [PATH_PREFIX]
#   1. tests/{vm,runtime,stdlib,golike,modules,regress}, each collecting at every chance (LUNGODEBUG=gcstress=1) and yielding at random
#      safepoints (schedyield=N), half of the time with two ends for each buffer (widering=1), with 1, 2 and 4 processors;
#   2. the programs of tests/stress with growing rounds, under the same switches;
#   3. the unit tests of what host threads and goroutines do together;
#   4. 50000 random programs compared with lua5.4 (tests/cli/random_diff.sh; 2000 under a sanitizer), 300 of them collecting at
#      every chance; each time with other seeds;
# again and again, each pass in another order, until LUNGO_STRESS_MINUTES (default 10) are over. A time that is too short
# for one pass (half an hour under a sanitizer may be) tests a random part of it.
# PATH_PREFIX (say, vm/gc or stress/chan) runs only what begins with it. Ends with `N passed, N failed`.
set -u
build=$1
prefix=${2:-}
cd "$(dirname "$0")/.." || exit 1
case $build in /*) ;; *) build=$PWD/$build ;; esac
lungo=$build/lungo
end=$((SECONDS + ${LUNGO_STRESS_MINUTES:-10} * 60))
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"
export LUNGO_TEST_TIMEOUT=${LUNGO_TEST_TIMEOUT:-600}

# A collection takes fifty times longer under the thread sanitizer: there every 200th allocation is one chance.
every=1
case $build in *-thread) every=200 ;; esac

jobs_of_pass() { # lines: NAME PROCS LUNGODEBUG SEED
  local pass=$1 procs dbg f
  for procs in 1 2 4; do
    for dbg in gcstress=$every schedyield=3,widering=1 schedyield=$((pass * 7 + 11)) \
      gcstress=$every,widering=1,schedyield=$((pass * 5 + 2)); do
      for f in tests/{vm,runtime,stdlib,golike,modules,regress}/*.lua; do echo "${f#tests/} $procs $dbg $pass"; done
      for f in tests/stress/*.lua; do echo "${f#tests/} $procs $dbg $pass"; done
    done
    for f in tests/stress/*.lua; do echo "${f#tests/} $procs none=0 $pass"; done
  done
  for f in embed_attack embed_chan embed_final embed_giveback interrupt leaks states timer; do
    for dbg in none=0 widering=1; do echo "unit/${f}_test 2 $dbg $pass"; done
  done
  echo "cli/random_diff.sh - none=0 $pass"
  echo "cli/random_diff.sh - gcstress=$every $pass"
}

one() { # one NAME PROCS LUNGODEBUG PASS
  local name=$1 procs=$2 dbg=$3 pass=$4 rounds
  export LUNGODEBUG=$dbg
  case $name in
    stress/*)
      rounds=$((2 + pass))
      [ "$dbg" = none=0 ] && rounds=$((20 * pass))
      if (cd tests/stress && LUNGOMAXPROCS=$procs timeout "$LUNGO_TEST_TIMEOUT" "$lungo" "${name#stress/}" $rounds >"$tmp/out" 2>&1); then
        echo "PASS $name"
      else
        echo "FAIL $name ($procs): LUNGODEBUG=$dbg LUNGOMAXPROCS=$procs, rounds $rounds"
        head -20 "$tmp/out"
      fi
      ;;
    cli/*)
      rounds=50000
      case $build in */stress) ;; *) rounds=2000 ;; esac
      [ "$dbg" = none=0 ] || rounds=300
      RANDOM_DIFF_SEED=$((pass * 1000000)) RANDOM_DIFF_COUNT=$rounds tests/one.sh "$build" "$name" "$procs" ;;
    *)
      out=$(tests/one.sh "$build" "$name" "$procs")
      echo "$out"
      case $out in FAIL*) echo "  with LUNGODEBUG=$dbg" ;; esac ;;
  esac
}

passed=0 failed=0 pass=1
trap 'echo "$passed passed, $failed failed"; exit 1' INT TERM
while :; do
  while read -r name procs dbg n; do
    case $name in "$prefix"*) ;; *) continue ;; esac
    [ $SECONDS -ge $end ] && break
    result=$(one "$name" "$procs" "$dbg" "$n")
    case $result in
      PASS*) passed=$((passed + 1)) ;;
      *) failed=$((failed + 1)); echo "$result" ;;
    esac
  done < <(jobs_of_pass $pass | awk -v seed=$((pass + RANDOM)) 'BEGIN { srand(seed) } { print rand(), $0 }' | sort | cut -d' ' -f2-)
  [ $SECONDS -ge $end ] && break
  [ $((passed + failed)) -eq 0 ] && break
  pass=$((pass + 1))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
