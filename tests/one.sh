#!/bin/bash
# Runs one test: tests/one.sh BUILD_DIR NAME PROCS   (names and kinds: tests/run.sh)
# A Lua test says what must be observed in comments:
#   -- expect: LINE              the whole standard output, line by line (none: output is not looked at)
#   -- expect-status: N          exit status (default 0)
#   -- expect-stderr: REGEX      each must match some line of standard error
#   -- procs: N                  run only with that many processors
#   -- options: OPTIONS          of the command
# An example's .expect file: `exact`, `set` (lines in any order) or `pattern` (each line a regular expression that some
# line of the output matches) on its first line, then the lines; lines that begin with `status: `, `stderr: `, `stdin: `,
# `forbid: ` (a regular expression no line may match), `env: ` anywhere before the first other line.
set -u
build=$1 name=$2 procs=$3
lungo=$build/lungo
export LUA_CPATH="$build/modules/?.so;;"
limit=${LUNGO_TEST_TIMEOUT:-300} # for what hangs: on a busy machine a test of ten seconds takes minutes
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"

fail() {
  echo "FAIL $name ($procs): $1"
  [ -s "$tmp/diff" ] && head -20 "$tmp/diff"
  [ -s "$tmp/err" ] && head -70 "$tmp/err"
  echo "  again: tests/one.sh $build $name $procs"
  exit 0
}
pass() { echo "PASS $name ($procs)"; exit 0; }

run() { # run COMMAND...: output to $tmp/out, $tmp/err, status in $status
  timeout -k 5 "$limit" "$@" >"$tmp/out" 2>"$tmp/err" <"$tmp/in"
  status=$?
  [ $status -eq 124 ] && fail "timed out after $limit s"
}
check_stderr() { # patterns, one a line, in $1
  while IFS= read -r re; do
    grep -Eq -- "$re" "$tmp/err" || { echo "no line of stderr matches: $re" >"$tmp/diff"; fail "wrong stderr"; }
  done <"$1"
}
: >"$tmp/in"

lua_test() {
  local f=tests/$name want
  only=$(sed -n 's/^-- procs: //p' "$f")
  [ -n "$only" ] && [ "$only" != "$procs" ] && pass
  # shellcheck disable=SC2046
  LUNGOMAXPROCS=$procs run "$lungo" $(sed -n 's/^-- options: //p' "$f") "$f"
  want=$(sed -n 's/^-- expect-status: //p' "$f")
  [ "$status" -eq "${want:-0}" ] || fail "exit status $status, not ${want:-0}"
  sed -n 's/^-- expect-stderr: //p' "$f" >"$tmp/re"
  check_stderr "$tmp/re"
  if grep -q -- '-- expect: ' "$f"; then
    sed -n 's/^.*-- expect: //p' "$f" >"$tmp/want"
    diff "$tmp/want" "$tmp/out" >"$tmp/diff" || fail "wrong output"
  fi
  pass
}

diff_test() {
  run lua5.4 "tests/$name"
  mv "$tmp/out" "$tmp/want"
  local want=$status
  run "$lungo" "tests/$name"
  diff "$tmp/want" "$tmp/out" >"$tmp/diff" || fail "output differs from lua5.4's"
  [ "$status" -eq "$want" ] || fail "exit status $status, lua5.4's is $want"
  pass
}

example_test() {
  local f=tests/$name script
  script=examples/${name#examples/}
  script=${script%.expect}.lua
  awk -v dir="$tmp" '
    NR == 1 { print > (dir "/mode"); next }
    !body && /^status: / { sub(/^status: /, ""); print > (dir "/status"); next }
    !body && /^stderr: / { sub(/^stderr: /, ""); print > (dir "/re"); next }
    !body && /^stdin: / { sub(/^stdin: /, ""); print > (dir "/in"); next }
    !body && /^env: / { sub(/^env: /, ""); print > (dir "/env"); next }
    !body && /^forbid: / { sub(/^forbid: /, ""); print > (dir "/forbid"); next }
    { body = 1; print > (dir "/want") }' "$f"
  touch "$tmp/want" "$tmp/re" "$tmp/env" "$tmp/forbid"
  # shellcheck disable=SC2046
  run env $(cat "$tmp/env") "$lungo" "$script"
  local want=0
  [ -s "$tmp/status" ] && want=$(cat "$tmp/status")
  [ "$status" -eq "$want" ] || fail "exit status $status, not $want"
  check_stderr "$tmp/re"
  while IFS= read -r re; do
    grep -E -- "$re" "$tmp/out" >"$tmp/diff" && fail "output that must not be: $re"
  done <"$tmp/forbid"
  case $(cat "$tmp/mode") in
    exact) diff "$tmp/want" "$tmp/out" >"$tmp/diff" || fail "wrong output" ;;
    set)
      sort -o "$tmp/want" "$tmp/want"
      sort -o "$tmp/out" "$tmp/out"
      diff "$tmp/want" "$tmp/out" >"$tmp/diff" || fail "wrong set of lines"
      ;;
    pattern)
      while IFS= read -r re; do
        grep -Eq -- "$re" "$tmp/out" || { echo "no line matches: $re" >"$tmp/diff"; cat "$tmp/out" >>"$tmp/diff"; fail "wrong output"; }
      done <"$tmp/want" ;;
    *) fail "unknown mode" ;;
  esac
  pass
}

pty_test() {
  run env -i PATH="$PATH" HOME="$tmp" TERM=xterm LC_ALL=C.UTF-8 NO_COLOR=1 ${PTY_TIMEOUT:+PTY_TIMEOUT="$PTY_TIMEOUT"} TSAN_OPTIONS="$TSAN_OPTIONS" \
    ASAN_OPTIONS="$ASAN_OPTIONS" "$build/pty/driver" "tests/$name" "$(realpath "$lungo")"
  [ "$status" -eq 0 ] && pass
  fail "not what was expected"
}

case $name in
  # What a unit test makes it frees, and the address sanitizer looks.
  unit/*) ASAN_OPTIONS=${ASAN_OPTIONS/detect_leaks=0/detect_leaks=1} run "$build/$name"; cat "$tmp/out" >>"$tmp/err"; [ "$status" -eq 0 ] && pass; fail "exit status $status" ;;
  diff/*) diff_test ;;
  cli/*.sh) run bash "tests/$name" "$(realpath "$lungo")"; cat "$tmp/out" >>"$tmp/err"; [ "$status" -eq 0 ] && pass; fail "exit status $status" ;;
  pty/*) pty_test ;;
  examples/*) example_test ;;
  *.lua) lua_test ;;
  *) fail "unknown kind of test" ;;
esac
