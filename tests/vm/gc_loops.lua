-- What a register held before is garbage at a loop's safepoint: loops that only wait for that end.
-- Protects: code generation of loops (registers that mean something at the back edge), interp.c (forget_registers).
local weak = setmetatable({}, {__mode = "v"})
local limit = 3000000

local function in_while()
  do local a, b, c, d, e, f, g, h, i = 1, 2, 3, 4, 5, 6, 7, 8, {} weak[1] = i end
  local n = 0
  while weak[1] and n < limit do local t = {} n = n + 1 end
  return weak[1]
end

local function in_repeat()
  do local a, b, c, d, e, f, g, h, i = 1, 2, 3, 4, 5, 6, 7, 8, {} weak[1] = i end
  local n = 0
  repeat local t = {} n = n + 1 until not weak[1] or n == limit
  return weak[1]
end

local function in_goto()
  do local a, b, c, d, e, f, g, h, i = 1, 2, 3, 4, 5, 6, 7, 8, {} weak[1] = i end
  local n = 0
  ::again::
  local t = {}
  n = n + 1
  if weak[1] and n < limit then goto again end
  return weak[1]
end

local function in_continue() -- the jump to the loop's end becomes its back edge
  do local a, b, c, d, e, f, g, h, i = 1, 2, 3, 4, 5, 6, 7, 8, {} weak[1] = i end
  local n = 0
  while weak[1] and n < limit do
    local t = {}
    n = n + 1
    if n % 2 == 0 then goto continue end
    t.x = n
    ::continue::
  end
  return weak[1]
end

local function in_fornum()
  do local a, b, c, d, e, f, g, h, i = 1, 2, 3, 4, 5, 6, 7, 8, {} weak[1] = i end
  for n = 1, limit do
    local t = {}
    if not weak[1] then break end
  end
  return weak[1]
end

local function in_forin(iter, s, c)
  do local a, b, c, d, e, f, g, h, i, j, k, l = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, {} weak[1] = l end
  for x, y in iter, s, c do
    local t = {}
    if not weak[1] then break end
  end
  return weak[1]
end

local function count(max, n) if n < max then return n + 1, {} end end
local many = {}
for i = 1, 400000 do many[i] = i end
collectgarbage()

print(in_while(), in_repeat(), in_goto())                      -- expect: nil	nil	nil
print(in_continue(), in_fornum())                              -- expect: nil	nil
print(in_forin(count, limit, 0), in_forin(next, many), in_forin(ipairs(many)))  -- expect: nil	nil	nil

-- And what still means something stays: locals around and inside of loops, control variables, closures' variables,
-- to-be-closed ones, extra arguments.
local closed = 0
local function closer() return setmetatable({}, {__close = function() closed = closed + 1 end}) end
local function keep(a, b, ...)
  local sum, outer, fs = 0, {a}, {}
  for i = 1, 50 do
    local inner <close> = closer()
    local x = {i}
    for k, v in pairs({p = {i}, q = {i}}) do
      local j = 0
      while j < 3 do
        local t = {x}
        j = j + 1
        if j == 2 then goto continue end
        sum = sum + t[1][1] + v[1] + #k + outer[1]
        ::continue::
      end
    end
    repeat
      local y = {x[1]}
      fs[i] = function() return y[1] + x[1] + i end
    until y[1] == x[1]
  end
  for i, f in ipairs(fs) do assert(f() == 3 * i) end
  return sum, select("#", ...), (select(2, ...))
end
many = nil
collectgarbage("setpause", 100)
for _ = 1, 5 do
  local sum, n, second = keep(1, 2, "x", {3}, nil)
  assert(sum == 4 * (50 + 50 + 51 * 50) and n == 3 and second[1] == 3, sum)
end
print(closed)   -- expect: 250
