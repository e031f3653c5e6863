-- Finalizers of a module's objects run under its lock, whoever collects.
-- Protects: vm/cmodule.c, vm/gc_final.c.
local m = require "onethread"
local wg = sync.waitgroup()
for g = 1, 8 do
  wg:go(function()
    for i = 1, 50 do
      for k = 1, 4 do m.object() end
      m.add(1)
      if i % 25 == 0 then m.each(1, function() collectgarbage() end) end
    end
  end)
end
wg:wait()
while m.collected() < 1600 do collectgarbage() runtime.gosched() end
print(m.count() - m.collected())   -- expect: 432
m.object()
m.each(1, function() collectgarbage() end)
