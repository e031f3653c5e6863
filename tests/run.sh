#!/bin/bash
# Runs the tests: tests/run.sh BUILD_DIR [PATH_PREFIX]
#   tests/unit/*_test.c            C programs, already built into BUILD_DIR/unit: status 0 passes
#   tests/{vm,runtime,race,stdlib,golike,limit,regress,modules}/*.lua   scripts, each with one processor and with two (tests/one.sh)
#   tests/diff/*.lua               scripts whose output must equal lua5.4's
#   tests/cli/*.sh                 shell scripts given the path of lungo: status 0 passes
#   tests/pty/*.pty                what is typed at the prompt in a pseudo-terminal, and seen (tests/pty/driver.c)
#   tests/examples/**/*.expect     examples and what must be observed of them
# PATH_PREFIX (say, runtime/select) runs only the tests below tests/ that begin with it. Ends with `N passed, N failed`.
set -u
build=$1
prefix=${2:-}
cd "$(dirname "$0")/.." || exit 1

list() {
  for b in "$build"/unit/*_test; do [ -x "$b" ] && echo "unit/$(basename "$b") -"; done
  for d in vm runtime race stdlib golike limit regress modules; do
    for f in tests/"$d"/*.lua; do [ -e "$f" ] && printf '%s 1\n%s 2\n' "${f#tests/}" "${f#tests/}"; done
  done
  for f in tests/diff/*.lua tests/cli/*.sh tests/pty/*.pty; do [ -e "$f" ] && echo "${f#tests/} -"; done
  find tests/examples -name '*.expect' | sort | sed 's|^tests/||; s|$| -|'
}

log=$(mktemp)
list | awk -v p="$prefix" 'index($1, p) == 1' |
  xargs -P "$(nproc)" -L 1 tests/one.sh "$build" >"$log" 2>&1
grep -v '^PASS ' "$log"
passed=$(grep -cE '^PASS [a-z]+/' "$log")
failed=$(grep -cE '^FAIL [a-z]+/' "$log")
rm -f "$log"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
