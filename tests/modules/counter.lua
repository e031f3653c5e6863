-- A module that changes a static counter by plain reads and writes is run by eight goroutines: nothing is lost. A
-- collection inside its API calls lets nobody in.
-- Protects: vm/cmodule.c.
local m = require "onethread"
local wg = sync.waitgroup()
for g = 1, 8 do
  wg:go(function()
    for i = 1, 200 do
      m.add(g)
      if i % 20 == 0 then m.allocate() collectgarbage "step" end
    end
  end)
end
wg:wait()
print(m.count())   -- expect: 7280
