#!/bin/bash
# The tests of parallel code again and again: tests/repeat.sh BUILD_DIR ROUNDS [PATH_PREFIX]
# One round is each test of tests/runtime, regress, golike and stress once (with PATH_PREFIX, say stdlib/ctx or
# runtime/select: each script of any folder that begins with it). The number of processors (1, 2, 4, 8) and random yields
# (LUNGODEBUG=schedyield=N,seed=M), with widering=1 in every other dozen and rwspread now and then, change from round to round.
# A failure prints what it ran with.
# Ends with `N passed, N failed`. LUNGO_REPEAT_FIRST: the number of the first round (default 1).
set -u
if [ "${1:-}" = --one ]; then # --one BUILD_DIR NAME PROCS LUNGODEBUG
  export LUNGODEBUG=$5
  out=$(tests/one.sh "$2" "$3" "$4")
  echo "$out"
  case $out in FAIL*) echo "  with LUNGODEBUG=$5" ;; esac
  exit 0
fi
build=$1 rounds=$2 prefix=${3:-}
cd "$(dirname "$0")/.." || exit 1
first=${LUNGO_REPEAT_FIRST:-1}

scripts() { # NAME PROCS, PROCS being `any` or what the test asks for
  for f in tests/{runtime,regress,stress,golike,vm,stdlib,limit}/*.lua; do
    case ${f#tests/} in
      stress/gen.lua) continue ;;
      "${prefix:-runtime/}"* | "${prefix:-regress/}"* | "${prefix:-golike/}"* | "${prefix:-stress/}"*) ;;
      *) continue ;;
    esac
    procs=$(sed -n 's/^-- procs: //p' "$f")
    echo "${f#tests/} ${procs:-any}"
  done
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
scripts | awk -v first="$first" -v rounds="$rounds" -v build="$build" '
  { name[NR] = $1; procs[NR] = $2 }
  END {
    split("1 2 4 8", p, " ")
    for (r = first; r < first + rounds; r++)
      for (i = 1; i <= NR; i++) {
        n = r + i
        many = procs[i] == "any" ? p[n % 4 + 1] : procs[i]
        debug = int(n / 4) % 3 == 0 ? "seed=" r : "schedyield=" (n * 7 % 23 + 1) ",seed=" r
        if (int(n / 12) % 2) debug = debug ",widering=1"
        if (n % 5 == 0) debug = debug ",rwspread"
        print "--one", build, name[i], many, debug
      }
  }' | xargs -P "${LUNGO_REPEAT_JOBS:-$(nproc)}" -L 1 tests/repeat.sh >"$log" 2>&1
grep -v '^PASS ' "$log"
passed=$(grep -cE '^PASS [a-z]+/' "$log")
failed=$(grep -cE '^FAIL [a-z]+/' "$log")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
