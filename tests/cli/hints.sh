#!/bin/bash
# Hints after reports: each mistake that is recognised, and cases that only look like one. Colours on terminals.
# Protects: runtime/hint.c, runtime/report.c.
lungo=$1
bad=0
check() { # check HINT SOURCE: an empty HINT: none
  local got
  got=$(timeout 20 "$lungo" -e "$2" 2>&1 | sed -n 's/^hint: //p')
  case $got in "$1"*) [ -n "$1" ] || [ -z "$got" ] && return ;; esac
  echo "FAIL: $2: hint: $got"
  bad=1
}
for procs in 1 2; do
  export LUNGOMAXPROCS=$procs
  check "a send on an unbuffered channel" 'chan():send(1)'
  check "a send on an unbuffered channel" 'chan() <- 1'
  check "the channel's buffer of 2 is full" 'local c = chan(2) for i = 1, 3 do c <- i end'
  check "every goroutine that is left sends" 'local a, b = chan(), chan() go(function() a <- 1 end) b <- 1'
  check "no goroutine is left that could send" 'local v = <-chan()'
  check "the loop of goroutine 1 ends" 'local c = chan(1) c <- 1 for v in c do end'
  check "the loop of goroutine " 'local c, w = chan(), sync.waitgroup() for _ = 1, 2 do w:go(function() for v in c do end end) end c <- 1 w:wait()'
  check "the WaitGroup's counter is 2" 'local w = sync.waitgroup() w:add(2) w:wait()'
  check "the mutex is locked already" 'local m = sync.mutex() m:lock() m:lock()'
  check "goroutine 1 uses a channel that is nil" 'local c c <- 1'
  check "did you mean 'print'?" 'pirnt(1)'
  check "did you mean 'require'?" 'reqiure("x")'
  check "did you mean 'string'?" 'strng.rep("x", 2)'
  check "did you mean 'helper'?" 'function helper() end go(function() helpr() end) time.sleep(10)'
  check "" 'xy()'
  check "" 'foo()'
  check "" 'io2 = 1 i.x = 1'
  check "" 'mathematics.floor(1)'
  check "" 'primt = 1 local print = nil print()'
  check "" 'math.flor(1)'
  check "" 'prnt_value = 5 error("cannot call pirnt")'
  check "" 'select{}'
  check "" 'runtime.goexit()'
  check "" 'local m = sync.mutex() m:lock() go(function() <-chan() end) m:lock()'
  check "" 'local c = chan() go(function() <-chan() end) c <- 1'
done
unset LUNGOMAXPROCS
on_terminal() { TERM=$1 NO_COLOR=$2 LUNGO=$lungo timeout 20 script -qec '"$LUNGO" -e "error(1)"' /dev/null </dev/null | tr -d '\r' | head -3; }
want=$'\e[1;31mpanic: 1\e[0m\n\n\e[1mgoroutine 1 [running]:\e[0m'
[ "$(on_terminal xterm "")" = "$want" ] || { echo "FAIL colours: $(on_terminal xterm "" | cat -v)"; bad=1; }
for t in "dumb:" "xterm:1"; do
  on_terminal "${t%:*}" "${t#*:}" | grep -q $'\e' && { echo "FAIL: colours with $t"; bad=1; }
done
exit $bad
