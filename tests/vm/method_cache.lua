-- Methods that are remembered by metatable and name are found anew once their class changes: by this goroutine, or by
-- another one that this one has heard of since.
-- Protects: vm/method.c, SELF in vm/interp.c.
local done = chan()
go function() done <- true end()
local _ = <-done -- from here on the globals, and with them the string library, are shared

local function call(s) return s:probe() end
local function fails(s, why)
  local ok, err = pcall(call, s)
  assert(not ok and err:find(why, 1, true), err)
end

-- The class's table changes.
for round = 1, 300 do
  string.probe = function(s) return s .. round end
  assert(call("a") == "a" .. round and call("b") == "b" .. round)
  string.probe = nil
  fails("a", "attempt to call a nil value (method 'probe')")
  fails(5, "attempt to index a number value")
  fails(nil, "attempt to index a nil value")
  fails(true, "attempt to index a boolean value")
end

-- Another table becomes the __index, a function, none.
local mt, lib = getmetatable(""), string
for _ = 1, 20 do
  mt.__index = { probe = function() return "other" end }
  assert(call("a") == "other" and call("a") == "other")
  mt.__index = function(_, k) return function() return "function " .. k end end
  assert(call("a") == "function probe" and call("a") == "function probe")
  mt.__index = nil
  local ok, err = pcall(call, "a")
  mt.__index = lib
  assert(not ok and err:find("attempt to index a string value", 1, true), err)
  lib.probe = function() return "back" end
  assert(call("a") == "back" and call("a") == "back")
end
lib.probe = nil

-- Classes that come and go: what the collector took away is not remembered for what has its place now.
local function touch(v) return v:load() end
for i = 1, 200 do
  local v = atomic.value(i)
  assert(touch(v) == i and touch(atomic.int(i)) == i and touch(sync.map and atomic.bool(true)) == true)
  if i % 20 == 0 then collectgarbage() end
end

-- The methods of lungo's own objects may be replaced, too.
local mu = sync.mutex()
local class, log = getmetatable(mu).__index, 0
local function lockit() mu:lock() mu:unlock() end
lockit()
local lock = class.lock
class.lock = function(self) log = log + 1 return lock(self) end
lockit() lockit()
class.lock = lock
lockit()
assert(log == 2)

-- More methods than can be remembered.
for i = 1, 300 do string["probe" .. i] = function(s) return s .. i end end
for _ = 1, 2 do
  for i = 1, 300 do
    local f = load("return function(s) return s:probe" .. i .. "() end")()
    assert(f("x") == "x" .. i and f("y") == "y" .. i)
  end
  collectgarbage()
end

-- A goroutine that has heard of a new version never calls an older one.
local readers, rounds = 3, 2000
local heard, wg = {}, sync.waitgroup()
for r = 1, readers do
  heard[r] = chan()
  wg:go(function()
    for version in heard[r] do
      local got = ("x"):version()
      assert(got >= version, "an old method was called")
    end
  end)
end
for version = 1, rounds do
  string.version = function() return version end
  assert(("x"):version() == version)
  heard[version % readers + 1] <- version
end
for r = 1, readers do heard[r]:close() end
wg:wait()
