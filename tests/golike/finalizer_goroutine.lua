-- Finalizers run in the caller of collectgarbage before it returns, or else in a goroutine of their own that stands in nobody's
-- way; their errors are warnings; one may wait, start goroutines, and end its goroutine.
-- Protects: runtime/final.c, vm/gc_final.c.
-- expect-stderr: warning: error in __gc \(tests/golike/finalizer_goroutine.lua:13: no harm\)
local ran, me = {}, runtime.goid()
local function drop(f) setmetatable({}, {__gc = f}) end
local function drops(n, f) for _ = 1, n do drop(f) end end
drops(5, function() ran[#ran + 1] = runtime.goid() end)
collectgarbage()
assert(#ran == 5)
for _, id in ipairs(ran) do assert(id == me) end -- in the caller, before it returns
warn "@on"
drop(function() error "no harm" end)
drop(function() error {} end)
collectgarbage()
warn "@off"
local other, seen = atomic.int(), chan(1)
go(function() end) -- a program that never starts one has finalizers as plain Lua has
local function garbage() for i = 1, 2000 do local _ = {i} end runtime.gosched() end
drop(function() seen:send(runtime.goid()) end)
repeat garbage() until #seen > 0
assert(<-seen ~= me)
-- One that waits does not keep the program from going on, nor those after it from running in the end.
local gate, entered = chan(), chan(1)
drop(function() entered:send(true) gate:recv() other:add(1) end)
repeat garbage() until #entered > 0
drops(3, function() other:add(1) end)
for _ = 1, 20 do garbage() end
gate:send(true)
repeat garbage() until other:load() == 4
-- One that starts a goroutine, one that dies by goexit, one that brings its object back.
local back
drop(function() go(function() seen:send "started" end) end)
repeat garbage() until #seen > 0
print(<-seen)                              -- expect: started
drop(function() seen:send "before" runtime.goexit() end)
repeat garbage() until #seen > 0
seen:recv()
drop(function(o) back = o seen:send "again" end)
repeat garbage() until #seen > 0
print(<-seen, type(back))                  -- expect: again	table
