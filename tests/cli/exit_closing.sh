#!/bin/bash
# os.exit(code, true) ends a program from any goroutine, whatever the others are doing: what the main goroutine left to be
# closed is closed, each finalizer runs once, and the status is the one given.
# Each variant is a piece of Lua after a common head; it must print `closed` and `final` once each (and what is said
# beside its name), nothing after them, and exit with status 7.
# Protects: runtime/host.c (rt_exit, rt_close_alone), vm/state.c (close_inside), vm/tbc.c (tbc_close_other).
# ROUNDS=n repeats all, PROCS="1 2 4" is with how many processors each.
set -u
lungo=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

cat >"$tmp/head.lua" <<'LUA'
local exit, cpus = os.exit, 3
local ended = false
final = setmetatable({}, {__gc = function() assert(not ended); ended = true; print "final" end})
local obj <close> = setmetatable({}, {__close = function() print "closed" end})
local function busy() local t = {} for i = 1, math.huge do t[i % 100] = {i} end end
local function forever() chan():recv() end
local function crowd(f) for i = 1, cpus do go(f) end time.sleep(0.002) end
local function sorted(f) table.sort({3, 2, 1}, function(a, b) f() return a < b end) end
LUA

variant() { # variant NAME [STATUS [OUTPUT]] <LUA
  local name=$1 want=${2:-7} output=${3:-closed final} procs got status
  cat "$tmp/head.lua" - >"$tmp/$name.lua"
  for procs in ${PROCS:-1 4}; do
    LUNGOMAXPROCS=$procs timeout 20 "$lungo" "$tmp/$name.lua" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
    got=$(tr '\n' ' ' <"$tmp/out")
    if [ $status -ne "$want" ] || [ "$got" != "$output " ]; then
      echo "$name, $procs processors: status $status (not $want), output '$got' (not '$output')"
      head -20 "$tmp/err"
      failed=1
    fi
  done
}

round() {
  # What the others do, when main ends.
  variant alone <<<'exit(7, true)'
  variant computing <<<'crowd(busy) exit(7, true)'
  variant blocked <<<'crowd(forever) exit(7, true)'
  variant sleeping <<<'crowd(function() time.sleep(100) end) exit(7, true)'
  variant nested <<<'crowd(function() sorted(forever) end) exit(7, true)'
  variant collecting <<<'crowd(function() while true do collectgarbage() end end) exit(7, true)'
  variant spawning <<<'local function f() go(f) end crowd(function() while true do go(function() end) runtime.gosched() end end) exit(7, true)'
  variant in_system <<<'crowd(function() os.execute "exec sleep 1" end) exit(7, true)'
  variant writing <<<'local f = io.open("/dev/null", "w") crowd(function() while true do f:write("x"):flush() end end) exit(7, true)'
  # (One that has not begun when the program closes would be run then, and wait for ever: a deadlock.)
  variant in_finalizer <<<'local began = chan() go(function() setmetatable({}, {__gc = function() began:send(1) forever() end}) collectgarbage() end) began:recv() exit(7, true)'
  variant timers <<<'crowd(function() for _ in time.tick(0.0001) do time.afterfunc(0, busy) end end) exit(7, true)'
  variant resizing <<<'crowd(function() while true do runtime.gomaxprocs(math.random(4)) end end) exit(7, true)'
  variant locked <<<'local mu = sync.mutex() crowd(function() mu:lock() mu:unlock() end) mu:lock() exit(7, true)'

  # What main does, when another goroutine ends the program.
  variant main_blocked <<<'go(function() exit(7, true) end) forever()'
  variant main_computing <<<'go(function() exit(7, true) end) busy()'
  variant main_sleeping <<<'go(function() exit(7, true) end) time.sleep(100)'
  variant main_nested <<<'go(function() exit(7, true) end) sorted(forever)'
  variant main_nested_computing <<<'go(function() exit(7, true) end) sorted(busy)'
  variant main_in_system <<<'go(function() time.sleep(0.02) exit(7, true) end) os.execute "exec sleep 1"'
  variant main_in_coroutine <<<'go(function() exit(7, true) end) coroutine.wrap(busy)()'
  variant main_gone <<<'go(function() while runtime.numgoroutine() > 1 do time.sleep(0.001) end exit(7, true) end) runtime.goexit()'
  variant main_locked <<<'runtime.lockosthread() go(function() exit(7, true) end) forever()'
  variant main_collecting <<<'go(function() exit(7, true) end) while true do collectgarbage() end'
  variant main_selecting <<<'local c = chan() crowd(function() for _ in time.tick(0.0001) do c:trysend(1) end end) go(function() exit(7, true) end) while true do select case <-c then case <-chan() then end end'

  # Where os.exit is called.
  variant from_coroutine <<<'crowd(busy) coroutine.wrap(function() exit(7, true) end)()'
  variant from_coroutine_elsewhere <<<'go(function() coroutine.wrap(function() exit(7, true) end)() end) busy()'
  variant from_pcall <<<'crowd(busy) pcall(exit, 7, true)'
  variant from_sort <<<'crowd(busy) sorted(function() exit(7, true) end)'
  variant from_sort_elsewhere <<<'go(function() sorted(function() exit(7, true) end) end) busy()'
  variant from_gsub <<<'crowd(busy) string.gsub("abc", ".", function() exit(7, true) end)'
  variant from_index <<<'crowd(busy) local _ = setmetatable({}, {__index = function() exit(7, true) end}).x'
  variant from_finalizer <<<'crowd(busy) setmetatable({}, {__gc = function() exit(7, true) end}) while true do collectgarbage() end'
  variant from_close <<<'crowd(busy) do local _ <close> = setmetatable({}, {__close = function() exit(7, true) end}) end'
  variant from_error_close <<<'crowd(busy) pcall(function() local _ <close> = setmetatable({}, {__close = function() exit(7, true) end}) error "x" end)'
  variant from_defer <<<'crowd(busy) pcall(function() defer exit(7, true) end)'
  variant from_handler <<<'crowd(busy) xpcall(error, function() exit(7, true) end)'
  variant from_afterfunc <<<'time.afterfunc(0.001, function() exit(7, true) end) busy()'
  variant from_locked_thread <<<'go(function() runtime.lockosthread() time.sleep(0.001) exit(7, true) end) busy()'
  variant from_panic <<<'go(function() error(setmetatable({}, {__tostring = function() exit(7, true) end})) end) busy()'
  variant from_waitgroup <<<'local wg = sync.waitgroup() for i = 1, 5 do wg:go(function() exit(7, true) end) end wg:wait()'
  variant many <<<'for i = 1, 20 do go(function() exit(7, true) end) end exit(7, true)'
  variant booleans 1 <<<'crowd(busy) exit(false, true)'

  # What finalizers and closing functions do meanwhile.
  variant final_error <<<'crowd(busy) more = setmetatable({}, {__gc = function() error "x" end}) exit(7, true)'
  variant final_goexit <<<'crowd(busy) more = setmetatable({}, {__gc = function() runtime.goexit() end}) exit(7, true)'
  variant final_collects <<<'crowd(busy) more = setmetatable({}, {__gc = function() collectgarbage() end}) exit(7, true)'
  variant final_exits <<<'crowd(busy) more = setmetatable({}, {__gc = function() exit(7, true) end}) exit(3, true)'
  variant final_exits_at_end <<<'crowd(busy) more = setmetatable({}, {__gc = function() exit(7, true) end})'
  variant final_exits_plainly 7 closed <<<'crowd(busy) more = setmetatable({}, {__gc = function() exit(7) end}) exit(3, true)'
  variant final_sleeps <<<'crowd(busy) more = setmetatable({}, {__gc = function() time.sleep(0.001) end}) exit(7, true)'
  variant final_starts <<<'crowd(busy) more = setmetatable({}, {__gc = function() go(busy) end}) exit(7, true)'
  variant final_sends 7 'closed last final' <<'LUA'
local log, written = chan(), chan()
go(function() for text in log do print(text) written:send(true) end end)
more = setmetatable({}, {__gc = function() log:send "last" written:recv() end})
exit(7, true)
LUA
  variant final_locks <<'LUA'
local mu, held = sync.mutex(), chan()
go(function() mu:lock() held:send(true) for i = 1, 1e6 do end mu:unlock() end)
more = setmetatable({}, {__gc = function() mu:lock() end})
held:recv()
exit(7, true)
LUA
  variant final_waits_main_stays <<'LUA' # main would print, close again, or end the program
local c = chan()
more = setmetatable({}, {__gc = function() c:send(1) end})
go(function() time.sleep(0.002) exit(7, true) end)
go(function() time.sleep(0.01) while true do c:recv() end end)
for i = 1, 1e6 do runtime.gosched() end
for i = 1, math.huge do time.sleep(0.0001) if ended then print "main ran" end end
LUA
  variant final_waits_main_in_system <<'LUA'
local c, began, file = chan(), chan(), arg[0] .. ".began"
os.remove(file)
more = setmetatable({}, {__gc = function() began:send(1) c:send(1) end})
go(function() time.sleep(0.01) exit(7, true) end)
go(function() began:recv() io.open(file, "w"):close() time.sleep(0.05) c:recv() end) -- main has time to come back
os.execute("while [ ! -e " .. file .. " ] && [ -e " .. arg[0] .. " ]; do sleep 0.01; done")
print "main ran"
LUA
  variant close_fails 7 'true closed final' <<'LUA'
local last <close> = setmetatable({}, {__close = function(_, e) print(e == "two") end})
local last2 <close> = setmetatable({}, {__close = function(_, e) error("two", 0) end})
local last3 <close> = setmetatable({}, {__close = function(_, e) error("one", 0) end})
go(function() exit(7, true) end)
busy()
LUA
  variant defers 7 'a 1 b 2 closed final' <<'LUA'
local function show(a, b) print(a) print(b) end
defer show("b", 2)
defer show("a", 1)
go(function() exit(7, true) end)
busy()
LUA
  variant final_deadlock 2 closed <<<'more = setmetatable({}, {__gc = forever}) exit(7, true)'
  variant final_deadlock_at_end 2 closed <<<'crowd(forever) more = setmetatable({}, {__gc = forever})'
}

for _ in $(seq "${ROUNDS:-1}"); do round; done
exit $failed
