-- os.exit(code, true) while goroutines are inside a module, the main one too: the last finalizers run when nobody is in the
-- middle of its code, in a goroutine that may itself be below a function of the module.
-- Protects: vm/state.c (close_inside: the locks of modules come first), vm/cmodule.c (cmodule_close).
-- expect-status: 7
local m = require "onethread"
keep = m.object()
local inside = chan(3)
for _ = 1, 2 do
  go(function()
    m.each(1, function() inside:send(true) end)
    while true do m.allocate() end
  end)
end
inside:recv() inside:recv()
go(function() m.each(1, function() time.sleep(0.002) os.exit(7, true) end) end)
while true do m.allocate() end
