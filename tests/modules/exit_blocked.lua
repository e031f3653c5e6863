-- The program ends though a goroutine is inside C code that does not return, and holds a module's lock.
-- Protects: runtime/host.c (end_patience).
-- procs: 2
-- expect-status: 0
local m = require "onethread"
keep = m.object()
local inside = chan(1)
go(function()
  inside:send(true)
  m.sleep(20000)
end)
inside:recv()
time.sleep(0.01)
print "end" -- expect: end
