#!/bin/bash
# Ctrl-C while a script runs: an error in goroutine 1, whatever it does; the second one ends the process.
# Protects: cli/main.c, runtime/interrupt.c, runtime/park.c (sleep).
lungo=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
start() { # start SOURCE: runs it in the background, returns when it has printed its first line
  : >"$tmp/out" # here: the other process comes to its own redirection when it likes
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
start 'io.stdout:setvbuf("no") print(1) while true do pcall(function() while true do end end) print(2) end'
kill -INT "$child"
for _ in $(seq 100); do grep -q 2 "$tmp/out" && break; sleep 0.05; done
kill -INT "$child"
wait $pid
s=$?
[ $s -eq 130 ] || { echo "FAIL: second: status $s"; bad=1; }

interrupts() { # interrupts SOURCE
  start "io.stdout:setvbuf('no') $1"
  kill -INT "$child"
  wait $pid
  s=$?
  [ $s -eq 2 ] && grep -q '^panic: .*interrupted!$' "$tmp/err" || { echo "FAIL: $1: status $s: $(cat "$tmp/err")"; bad=1; }
}
for procs in 1 2; do
  export LUNGOMAXPROCS=$procs
  interrupts 'print(1) time.sleep(30)'
  interrupts 'print(1) table.sort({1, 2}, function() time.sleep(30) end)'
  interrupts 'for i = 1, 3 do go(function() while true do end end) end print(1) while true do end'
  interrupts 'for i = 1, 3 do go(function() while true do end end) end print(1) time.sleep(30)'
  interrupts 'hope = time.ticker(100) print(1) chan():recv()'
  interrupts 'hope = time.ticker(100) print(1) table.sort({1, 2}, function() chan():recv() end)'
  interrupts 'hope = time.ticker(100) print(1) coroutine.wrap(function() select{} end)()'
  interrupts 'hope = time.ticker(100) local m = sync.mutex() m:lock() print(1) m:lock()'
  interrupts 'hope = time.ticker(100) local m = sync.mutex() m:lock() print(1) sync.cond(m):wait() while true do end'
  interrupts 'local w = sync.waitgroup() w:go(function() time.sleep(30) end) print(1) w:wait()'
done
exit $bad
