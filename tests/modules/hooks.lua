-- Hooks and the warning function of a module run under its lock.
-- Protects: vm/cmodule.c (cmodule_hook, cmodule_warn).
local m = require "onethread"
m.warnings()
local wg = sync.waitgroup()
for g = 1, 8 do
  wg:go(function()
    for i = 1, 20 do
      warn("one") -- 1
      m.warn() -- 2
      m.add(1)
    end
  end)
end
wg:wait()
print(m.count())   -- expect: 640
for g = 1, 8 do
  wg:go(function()
    m.hook(50)
    for i = 1, 2000 do if i % 100 == 0 then m.add(1) end end
    m.hook()
  end)
end
wg:wait()
print(m.count() > 640 + 160)   -- expect: true
