-- closures_shared.lua [ROUNDS]: cells shared by closures in many goroutines keep whole values and one identity.
local rounds = tonumber(arg[1]) or 10
for round = 1, rounds do
  local wg, mu = sync.waitgroup(), sync.mutex()
  local n = 0
  local function inc() local _ <close> = mu:lock() n = n + 1 end
  for _ = 1, 8 do wg:go(function() for _ = 1, 100 do inc() end end) end
  wg:wait()
  assert(n == 800)
  -- closures made in loops by all, called by all
  local fs = chan(1000)
  for g = 1, 4 do
    wg:go(function()
      for i = 1, 100 do
        local k = g * 1000 + i
        fs <- function() k = k + 0; return k, g, i end
      end
    end)
  end
  wg:wait()
  fs:close()
  local count = atomic.int(0)
  for _ = 1, 4 do
    wg:go(function() for f in fs do local k, g, i = f(); assert(k == g * 1000 + i); count:add(1) end end)
  end
  wg:wait()
  assert(count:load() == 400)
  -- one function compiled once, run everywhere; recursion, varargs, methods, errors
  local function work(d, ...)
    if d == 0 then return select("#", ...) end
    local ok, r = pcall(work, d - 1, d, ...)
    assert(ok, r)
    local ok2, e = pcall(error, {d})
    assert(not ok2 and e[1] == d)
    return r
  end
  for _ = 1, 8 do wg:go(function() for d = 1, 30 do assert(work(d) == d) end end) end
  wg:wait()
  -- objects and inheritance used by all; field caches with changing shapes
  local Base = {} Base.__index = Base
  function Base.new(v) return setmetatable({v = v}, Base) end
  function Base:get() return self.v end
  local Derived = setmetatable({}, {__index = Base}) Derived.__index = Derived
  function Derived:get2() return self:get() * 2 end
  for g = 1, 6 do
    wg:go(function()
      for i = 1, 300 do
        local o = setmetatable(g % 2 == 0 and {a = 1, b = 2, v = i} or {v = i, z = 1}, Derived)
        assert(o:get2() == i * 2)
        if g == 1 and i % 50 == 0 then Base["extra" .. i] = i; Derived.get3 = i % 100 == 0 and Base.get or nil end
      end
    end)
  end
  wg:wait()
  -- load in all goroutines; strings interned by all
  for g = 1, 4 do
    wg:go(function()
      for i = 1, 20 do
        local f = assert(load("local t = {name" .. i .. " = " .. i .. "} return t.name" .. i .. ", 'str" .. i .. "'"))
        local a, b = f()
        assert(a == i and b == "str" .. i and ({["str" .. i] = 1})[b])
      end
    end)
  end
  wg:wait()
end
