-- Call and return hooks: which line is current before a function's first, and the iterators of `for`, which lungo's loop runs itself
-- when nobody watches. In a coroutine, whose base is the same in both.
coroutine.wrap(function()
local function watch(mask, f, ...)
  local log = {}
  debug.sethook(function(event, l)
    local i = debug.getinfo(2, "nSltf")
    if i.func == debug.sethook then return end
    log[#log + 1] = table.concat({event, tostring(l), tostring(i.name), i.namewhat, i.what, i.currentline, tostring(i.istailcall)}, " ")
  end, mask)
  local ok, e = pcall(f, ...)
  debug.sethook()
  print(mask, ok, type(e) == "function" and "function" or e)
  print(table.concat(log, "\n"))
end

local function fixed(a)

  return a
end
local function varargs(...)

  return ...
end
local function captured(a, b)

  return function() return a, b end
end
local function both(a, ...)

  local function f() return a end
  return f(), ...
end
local function empty(...) end
for _, mask in ipairs {"c", "r", "cr", "crl"} do
  for _, f in ipairs {fixed, varargs, captured, both, empty} do watch(mask, f, 1, 2) end
  watch(mask, function(...) return both(...) end, 1, 2)
end

local function over(iterate, t, ...)
  local n = 0
  for k, v in iterate(t, ...) do
    n = n + 1
    k = nil
  end
  return n
end
local function plain(t) return next, t end
for _, mask in ipairs {"c", "r", "cr", "crl", "l"} do
  watch(mask, over, pairs, {x = 1})
  watch(mask, over, pairs, {})
  watch(mask, over, plain, {10, 20, x = 3})
  watch(mask, over, ipairs, {10, 20})
  watch(mask, over, ipairs, {})
  watch(mask, over, ipairs, setmetatable({}, {__index = function(_, k) if k < 3 then return k end end}))
  watch(mask, over, pairs, setmetatable({}, {__pairs = function(t) return next, {5}, nil end}))
end

-- A hook that is set or removed inside such a loop: every key is still seen once.
local function keys(t, set)
  local seen, n = {}, 0
  for k in pairs(t) do
    seen[#seen + 1] = k
    n = n + 1
    if n == 2 then set() end
    k = nil
  end
  table.sort(seen)
  return table.concat(seen, " ")
end
local function nothing() end
local t = {}
for i = 1, 20 do t[i] = i end
print(keys(t, function() debug.sethook(nothing, "cr") end))
debug.sethook(nothing, "cr")
print(keys(t, function() debug.sethook() end))
debug.sethook(nothing, "cr")
print(keys(t, function() t[1], t[2] = nil, nil end))
debug.sethook()
end)()
