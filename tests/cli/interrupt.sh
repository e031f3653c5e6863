#!/bin/bash
# Ctrl-C while a script runs: an error that pcall catches; the second one ends the process.
lungo=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
start() { # start SOURCE: runs it in the background, returns when it has printed its first line
  timeout -k 1 20 "$lungo" -e "$1" >"$tmp/out" 2>"$tmp/err" &
  pid=$!
  for _ in $(seq 100); do [ -s "$tmp/out" ] && break; sleep 0.05; done
  child=$(pgrep -P $pid)
}
start 'io.stdout:setvbuf("no") pcall(function() print(1) while true do end end) print(2)'
kill -INT "$child"
wait $pid || { echo "FAIL: not caught: $(cat "$tmp/err")"; bad=1; }
[ "$(cat "$tmp/out")" = $'1\n2' ] || { echo "FAIL: output: $(cat "$tmp/out")"; bad=1; }
start 'io.stdout:setvbuf("no") print(1) while true do end'
kill -INT "$child"
wait $pid
s=$?
[ $s -eq 2 ] || { echo "FAIL: uncaught: status $s"; bad=1; }
grep -q '^panic: .*interrupted!$' "$tmp/err" || { echo "FAIL: $(cat "$tmp/err")"; bad=1; }
start 'io.stdout:setvbuf("no") print(1) time.sleep(30)'
kill -INT "$child"
sleep 0.1
kill -INT "$child"
wait $pid
s=$?
[ $s -eq 130 ] || { echo "FAIL: second: status $s"; bad=1; }
exit $bad
