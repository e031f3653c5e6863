-- next and pairs: order of the array part, removal and change while traversing, metatables.
-- Protects: vm/table.c (removed keys keep their place), vm_next.
local t = {}
for i = 1, 100 do t[i] = i; t["k" .. i] = i end
local n, sum = 0, 0
for k, v in pairs(t) do n = n + 1; sum = sum + v; t[k] = nil end
assert(n == 200 and sum == 2 * 5050 and next(t) == nil)
-- assigning to existing fields
for i = 1, 100 do t["k" .. i] = i end
n = 0
for k, v in pairs(t) do t[k] = v * 2; n = n + 1 end
assert(n == 100 and t.k50 == 100)
-- removing other keys while traversing: each remaining key at most once
local seen, count = {}, 0
for k in pairs(t) do
  assert(not seen[k]); seen[k] = true
  count = count + 1
  t["k" .. (count * 13 % 100 + 1)] = nil
end
-- a collection in between must not lose the place of a removed key
t = {}
for i = 1, 50 do t[{}] = i end
n = 0
for k in pairs(t) do t[k] = nil; n = n + 1; if n % 10 == 0 then collectgarbage() end end
assert(n == 50 and next(t) == nil)
-- the array comes in order
local order = {}
for k in pairs {10, 20, 30} do order[#order + 1] = k end
assert(table.concat(order, ",") == "1,2,3")
-- next by hand; last key gives nil
t = {x = 1}
assert(next(t) == "x" and next(t, "x") == nil and select("#", next(t, "x")) == 1 and next({}) == nil)
assert(rawlen({1, 2}) == 2 and rawget(t, "x") == 1 and rawset(t, "y", 2) == t and t.y == 2)
-- pairs with __pairs; ipairs respects __index
local p = setmetatable({}, {__pairs = function(o) return function(_, k) if not k then return 1, 2 end end, o, nil end})
n = 0
for k, v in pairs(p) do n = n + 1; assert(k == 1 and v == 2) end
assert(n == 1)
local proxy = setmetatable({}, {__index = function(_, i) if i <= 5 then return i * 10 end end})
n = 0
for i, v in ipairs(proxy) do assert(v == i * 10); n = i end
assert(n == 5)
n = 0
for i, v in ipairs({1, 2, nil, 4}) do n = i end
assert(n == 2)
-- generic for with a callable table, state and control
local calls = 0
local iter = setmetatable({}, {__call = function(self, s, c) calls = calls + 1; if c < s then return c + 1 end end})
local got = {}
for v in iter, 3, 0 do got[#got + 1] = v end
assert(table.concat(got) == "123" and calls == 4)
-- an iterator's closing value
local closed
do
  for i in function(_, c) if c < 3 then return c + 1 end end, nil, 0, setmetatable({}, {__close = function() closed = true end}) do
    if i == 2 then break end
  end
end
assert(closed)
-- insertion of many, removal of many: the table does not grow without bound
t = {}
for i = 1, 20000 do t[i % 7 + i] = i; t[i % 7 + i] = nil end
assert(next(t) == nil)
