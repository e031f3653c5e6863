-- A module's lock is released while it calls Lua: goroutines wait for each other inside callbacks, callbacks call the
-- same module again, and two modules call each other in both orders.
-- Protects: vm/call.c (call_nested, level_run), vm/cmodule.c.
local m, o = require "onethread", require "another"
local wg = sync.waitgroup()
local ch = chan()
for g = 1, 4 do -- a sender and a receiver, both inside the module
  wg:go(function() m.each(25, function(i) ch:send(i) end) end)
  wg:go(function() m.each(25, function() ch:recv() end) end)
end
wg:wait()
print(m.count())   -- expect: 400

for g = 1, 8 do
  local mine = {}
  wg:go(function()
    for i = 1, 10 do
      m.each(2, function() -- 4
        m.each(1, function() o.call(m.add, 1) end) -- 2 * (2 + 1), other 2 * 2
        o.call(function() m.each(1, function() o.call(runtime.gosched) end) end) -- 2 * 2, other 2 * 4
      end)
      mine[#mine + 1] = i
    end
  end)
end
wg:wait()
print(m.count())   -- expect: 1520
print(o.count())   -- expect: 960

local mt = { __add = function() m.add(1) return 1 end, __concat = function() m.add(1) return "" end,
  __lt = function() m.add(1) return true end, __index = function() m.add(1) end, __newindex = function() m.add(1) end,
  __len = function() m.add(1) return 0 end, __tostring = function() m.add(1) return "t" end }
for g = 1, 8 do
  wg:go(function()
    for i = 1, 10 do
      assert(m.operate(setmetatable({}, mt), setmetatable({}, mt)) == true) -- 8 + 7
      local x = m.object()
      assert(m.operate(x, x) == true) -- 8 + 7
      assert(x + 1 == 7 and x() == 7 and tostring(x) == "object") -- 3
      do local c <close> = x end -- 1
      for k in m.steps(3) do runtime.gosched() end -- 4
      assert(m.compile("return ...")(i) == i) -- 2
      go(function() ch:send(i) end)
      m.borrow(function() ch:recv() end) -- 2
      assert(m.borrow(function(v) m.add(1) return v end, 5) == 5) -- 3
    end
  end)
end
wg:wait()
print(m.count() - m.collected())   -- expect: 5120
