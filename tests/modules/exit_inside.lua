-- The program ends while a goroutine is inside a module: nobody is in the middle of it when its last finalizers run.
-- Protects: vm/cmodule.c (cmodule_close).
local m = require "onethread"
keep = m.object()
local inside = chan(1)
go(function()
  m.each(1, function() inside:send(true) end)
  while true do m.allocate() end
end)
inside:recv()
for i = 1, 10 do runtime.gosched() end
