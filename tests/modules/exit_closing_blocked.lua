-- os.exit(code, true) while a goroutine is inside C code that does not return: half a second, then the status all the same.
-- Protects: runtime/host.c (rt_close_alone), runtime/sysmon.c (exit_status).
-- procs: 2
-- expect-status: 7
local m = require "onethread"
keep = m.object()
local inside = chan(1)
go(function()
  inside:send(true)
  m.sleep(20000)
end)
inside:recv()
time.sleep(0.01)
go(function() os.exit(7, true) end)
chan():recv()
