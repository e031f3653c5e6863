-- Continuations of C functions run under the lock as the functions do; a goroutine parks and coroutines yield across
-- them, and a coroutine goes on in another goroutine.
-- Protects: vm/cmodule.c (cmodule_continue), vm/call.c.
local m = require "onethread"
local wg = sync.waitgroup()
local cos = chan(8)
for g = 1, 8 do
  wg:go(function()
    for i = 1, 20 do
      local n = 0
      local co = coroutine.wrap(function()
        assert(m.callk(function() coroutine.yield(1) m.add(1) end) == 42)                   -- 3
        assert(m.callk(function() m.add(1) end) == 41)                                      -- 3
        local ok, e = m.pcallk(function() coroutine.yield(2) error("late", 0) end)          -- 2
        assert(ok == false and e == "late")
        ok, e = m.pcallk(function() error("early", 0) end)                                  -- 2
        assert(ok == false and e == "early")
        assert(select(3, m.pcallk(function() coroutine.yield(3) return 1, 2 end)) == 2)     -- 2
        m.yieldk(3)                                                                         -- 4
        local cos2 = chan(1)
        m.pcallk(function() go(function() cos2:send(1) end) assert(cos2:recv() == 1) end)   -- 2
        return "end"
      end)
      while co() ~= "end" do n = n + 1 end
      assert(n == 6)
      assert(m.drive(function() m.yieldk(1) coroutine.yield() end) == 2) -- 2 + 2
    end
    local co = coroutine.create(function() m.yieldk(2) m.callk(coroutine.yield) end) -- 3 + 2
    coroutine.resume(co)
    cos:send(co)
  end)
end
for i = 1, 8 do
  wg:go(function()
    local co = cos:recv()
    repeat coroutine.resume(co) until coroutine.status(co) == "dead"
  end)
end
wg:wait()
print(m.count())   -- expect: 3560
