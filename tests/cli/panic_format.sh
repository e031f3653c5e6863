#!/bin/bash
# Reports of uncaught errors and deadlocks: text on stderr, status 2.
lungo=$1
case $lungo in /*) ;; *) lungo=$PWD/$lungo ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
bad=0
report() { # report NAME SOURCE: runs it, wants status 2; stderr in err
  echo "$2" >t.lua
  timeout 20 "$lungo" t.lua >out 2>err
  local s=$?
  name=$1
  [ $s -eq 2 ] || { echo "FAIL $name: status $s"; head -5 err; bad=1; }
}
line() { [ "$(sed -n "$1p" err)" = "$2" ] || { echo "FAIL $name: line $1 is '$(sed -n "$1p" err)', not '$2'"; bad=1; }; }
has() { grep -Eq -- "$1" err || { echo "FAIL $name: nothing matches $1 in:"; head -20 err; bad=1; }; }
hasnot() { if grep -Eq -- "$1" err; then echo "FAIL $name: $1 in:"; head -20 err; bad=1; fi; }

report "error in main" $'local function f()\n  error("boom")\nend\nf()'
line 1 "panic: t.lua:2: boom"
line 2 ""
line 3 "goroutine 1 [running]:"
has 't.lua:2: in '
has 't.lua:4: in main chunk'
report "runtime error" 'local t = nil; print(t.x)'
line 1 "panic: t.lua:1: attempt to index a nil value (local 't')"
report "table error" 'error({})'
line 1 "panic: (error object is a table value)"
report "nil error" 'error(nil)'
has '^panic: '
report "number error" 'error(42)'
has '^panic: 42$'
report "__tostring" 'error(setmetatable({}, {__tostring = function() return "as text" end}))'
line 1 "panic: as text"
report "__tostring while the frames stand" $'\nerror(setmetatable({}, {__tostring = function()\n  return "line " .. debug.getinfo(4).currentline end}))'
line 1 "panic: line 2"
report "__tostring that raises" $'error(setmetatable({}, {__tostring = function()\n  error("inner") end}))'
line 1 "panic: t.lua:2: inner"
report "__tostring that raises a table" 'error(setmetatable({}, {__tostring = function() error({}) end}))'
line 1 "panic: (error object is a table value)"
report "error object replaced" $'local o = setmetatable({}, {__tostring = function() return "o" end})\ndefer error("second", 0)\nerror(o)'
line 1 "panic: second"
report "error object replaces" $'local o = setmetatable({}, {__tostring = function() return "o" end})\ndefer error(o)\nerror("first")'
line 1 "panic: o"
report "in a goroutine" $'go(function()\n  error("in go")\nend)\ntime.sleep(5)'
line 1 "panic: t.lua:2: in go"
line 2 ""
has '^goroutine [2-9][0-9]* \[running\]:$'
has 't.lua:2: in '
has 'created by goroutine 1 at t.lua:[0-9]+'
report "in a coroutine of a goroutine" $'go(function() coroutine.wrap(function() error("deep") end)() end)\ntime.sleep(5)'
has 'deep'
report "wg:go" $'local wg = sync.waitgroup() wg:go(function() error("in wg") end) wg:wait()'
has '^panic: t.lua:1: in wg$'
report "deferred calls run before" $'defer io.stderr:write("deferred\\n")\nerror("x")'
has '^deferred$'
has '^panic: t.lua:2: x$'
report "error in a deferred call replaces" $'defer error("second", 0)\nerror("first")'
has '^panic: second'

report "deadlock: receive" $'local c = chan()\nlocal v = <-c'
line 1 "fatal error: all goroutines are asleep - deadlock!"
line 2 ""
line 3 "goroutine 1 [chan receive]:"
has 't.lua:2: in main chunk'
report "deadlock: send" 'chan():send(1)'
has '^goroutine 1 \[chan send\]:$'
report "deadlock: select" 'select case <-chan() then case <-chan() then end'
has '^goroutine 1 \[select\]:$'
report "deadlock: select end" 'select end'
has '^goroutine 1 \[select \(no cases\)\]:$'
report "deadlock: nil" 'local c; <-c'
has '^goroutine 1 \[chan receive \(nil chan\)\]:$'
report "deadlock: send to nil" 'local c; c <- 1'
has '^goroutine 1 \[chan send \(nil chan\)\]:$'
report "deadlock: mutex" 'local m = sync.mutex() m:lock() m:lock()'
has '^goroutine 1 \[sync.Mutex.Lock\]:$'
report "deadlock: rwmutex" 'local m = sync.rwmutex() m:rlock() m:lock()'
has '^goroutine 1 \[sync.RWMutex.Lock\]:$'
report "deadlock: rlock" 'local m = sync.rwmutex() m:lock() m:rlock()'
has '^goroutine 1 \[sync.RWMutex.RLock\]:$'
report "deadlock: waitgroup" 'local w = sync.waitgroup() w:add(1) w:wait()'
has '^goroutine 1 \[sync.WaitGroup.Wait\]:$'
report "deadlock: cond" 'local m = sync.mutex() local c = sync.cond(m) m:lock() c:wait()'
has '^goroutine 1 \[sync.Cond.Wait\]:$'
report "deadlock: several" $'local c = chan()\nfor i = 1, 3 do\n  go(function() c:recv() end)\nend\nlocal d = chan()\nd:recv()'
has '^goroutine 1 \[chan receive\]:$'
[ "$(grep -c '^goroutine [0-9]* \[chan receive\]:$' err)" -eq 4 ] || { echo "FAIL $name: not 4 goroutines"; cat err; bad=1; }
[ "$(grep -c 'created by goroutine 1 at t.lua:3' err)" -eq 3 ] || { echo "FAIL $name: created by"; cat err; bad=1; }
report "deadlock under a C function" 'table.sort({3, 2, 1}, function() return <-chan() end)'
has '^goroutine 1 \[chan receive\]:$'
report "deadlock in a coroutine" 'coroutine.wrap(function() local v = <-chan() end)()'
has '^goroutine 1 \[chan receive\]:$'
report "goexit of main" 'runtime.goexit()'
line 1 "fatal error: no goroutines (main called runtime.goexit) - deadlock!"
report "pcall does not catch a deadlock" 'pcall(function() local v = <-chan() end) print("no")'
has 'all goroutines are asleep'

# a timer is hope
echo 'local c = chan() time.afterfunc(0.05, function() c <- "timer" end) print(<-c)' >t.lua
[ "$(timeout 5 "$lungo" t.lua)" = timer ] || { echo "FAIL: timer is no hope"; bad=1; }
# SIGQUIT dumps and ends
echo 'go(function() time.sleep(100) end) print("up") time.sleep(100)' >t.lua
"$lungo" t.lua >out 2>err &
pid=$!
for _ in $(seq 50); do [ -s out ] && break; sleep 0.1; done
sleep 0.5 # from the print to the sleep
kill -QUIT $pid
wait $pid
status=$?
name=SIGQUIT
[ $status -eq 2 ] || { echo "FAIL SIGQUIT: status"; bad=1; }
has '^goroutine 1 \[sleep\]:$'
[ "$(grep -c '^goroutine [0-9]* \[sleep\]:' err)" -eq 2 ] || { echo "FAIL SIGQUIT: $(cat err)"; bad=1; }
exit $bad
