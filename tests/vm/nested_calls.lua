-- Calls that C functions make (comparators, replacements): they share the jump buffer of the level below until a pcall
-- or a coroutine inside needs one of their own.
local function deep(n)
  if n == 0 then error("bottom", 0) end
  return (("x"):gsub("x", function() deep(n - 1) end))
end
for d = 1, 60 do
  local ok, e = pcall(deep, d)
  assert(not ok and e == "bottom", e)
end

local t, n = {5, 3, 4, 1, 2}, 0
table.sort(t, function(a, b)
  local ok, e = pcall(error, "inside")
  assert(not ok and e == "inside")
  local co = coroutine.wrap(function() coroutine.yield(1) error("of coroutine") end)
  assert(co() == 1)
  ok, e = pcall(co)
  assert(not ok and e:find("of coroutine"))
  n = n + 1
  return a < b
end)
assert(table.concat(t) == "12345" and n > 4)

local ok, e = pcall(table.sort, {3, 2, 1}, function() coroutine.yield() end)
assert(not ok and e:find("attempt to yield"), e)

local closed = 0
ok, e = pcall(string.gsub, "abc", "b", function()
  local x <close> = setmetatable({}, {__close = function(_, err) closed = closed + 1 assert(err.why == "E") end})
  error({why = "E"})
end)
assert(not ok and e.why == "E" and closed == 1)

local function forever() return (("x"):gsub("x", forever)) end
ok, e = pcall(forever)
assert(not ok and e:find("C stack overflow"), e)

-- The callee is a C function, that fails, returns too few or too many values, or calls back.
assert(("abc"):gsub(".", string.upper) == "ABC")
ok, e = pcall(string.gsub, "abc", ".", error)
assert(not ok and e == "a")
t = {3, 1, 2}
ok, e = pcall(table.sort, t, math.floor) -- always true
assert(ok or e:find("invalid order function"), e)
ok, e = pcall(table.sort, {1, 2, {}}, math.abs)
assert(not ok and e:find("bad argument"), e)
assert(("abc"):gsub("%w", pcall) == "abc")

-- Parking, dying and leaving below a C function.
local wg, left = sync.waitgroup(), atomic.int(0)
for i = 1, 50 do
  wg:go(function()
    local s = ("abc"):gsub(".", function(c)
      runtime.gosched()
      time.sleep(0.0001)
      if i % 5 == 0 then
        defer left:add(1)
        runtime.goexit()
      end
      return c:upper()
    end)
    assert(s == "ABC" and i % 5 ~= 0)
  end)
end
wg:wait()
assert(left:load() == 10)

-- Hooks see the calls.
local calls = 0
debug.sethook(function() calls = calls + 1 end, "c")
local _ = ("ab"):gsub(".", string.upper)
debug.sethook()
assert(calls >= 3, calls)
