-- A finalizer of a module that raises an error gives the module's lock back.
-- Protects: vm/call.c (pcall_inner_failed), vm/cmodule.c.
local m = require "failing"
local got = atomic.bool(false)
for _ = 1, 3 do m.object() end
collectgarbage()
go(function()
  assert(m.answer() == 42)
  got:store(true)
end)
while not got:load() do end -- we never wait ourselves, so the lock would stay ours
print("got in") -- expect: got in
