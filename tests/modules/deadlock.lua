-- A goroutine that waits for ever below a module holds no lock; the deadlock is found, the module still works.
-- Protects: vm/call.c (call_nested, level_run).
-- expect-status: 2
-- expect-stderr: ^fatal error: all goroutines are asleep - deadlock!
-- expect-stderr: chan receive
local m = require "onethread"
local ch = chan()
go(function() m.each(1, function() ch:recv() end) end)
runtime.gosched()
m.add(1)
print(m.count() >= 1)   -- expect: true
ch:close()
m.each(1, function() chan():recv() end)
