-- Errors out of module code let go of its lock: raised by it, through it, in it under lua_pcall, in coroutines, and by
-- the call of something that is no function.
-- Protects: vm/call.c (land, call_try), vm/cmodule.c.
local m = require "onethread"
local wg = sync.waitgroup()
for g = 1, 8 do
  wg:go(function()
    for i = 1, 40 do
      local ok, e = pcall(m.fail, "one")                                       -- 1
      assert(not ok and e == "one")
      ok, e = pcall(m.each, 1, function() error("two", 0) end)                 -- 1
      assert(not ok and e == "two")
      ok, e = m.protect(function() m.add(1) error("three", 0) end)             -- 3
      assert(ok == nil and e == "three")
      ok, e = m.protect(function() m.fail("four") end)                         -- 3
      assert(ok == nil and e:find "four$")
      ok, e = m.protect(nil)                                                   -- 2
      assert(ok == nil and e:find("attempt to call a nil value", 1, true))
      ok, e = pcall(m.drive, function() m.add(1) coroutine.yield() m.fail("five") end) -- 3
      assert(not ok and e:find "five$")
      local co = coroutine.create(function() m.fail("six") end)                -- 1
      ok, e = coroutine.resume(co)
      assert(not ok and e:find "six$")
      ok, e = m.protect(function()                                             -- 4
        local c <close> = setmetatable({}, { __close = function() m.add(1) end })
        m.fail("seven")
      end)
      assert(ok == nil and e:find "seven$")
      assert(select("#", m.protect(function() return 1, nil, nil end)) == 3)   -- 2
      ok, e = pcall(m.borrow, function(x) m.fail(x) end, "eight")              -- 2
      assert(not ok and e:find "eight$")
    end
  end)
end
wg:wait()
print(m.count())   -- expect: 7040
local done = chan()
go(function()
  defer(function() end)
  local d <close> = setmetatable({}, { __close = function() done:send(true) end })
  m.protect(function() m.each(1, runtime.goexit) end)
end)
done:recv()
m.add(1)
print(m.count())   -- expect: 7043
