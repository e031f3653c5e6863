-- The length operator, the array part growing and shrinking, holes.
-- Protects: vm/table.c.
local function isborder(t, n) return (n == 0 or t[n] ~= nil) and t[n + 1] == nil end
local t = {}
for i = 1, 1000 do t[i] = i; assert(#t == i) end
for i = 1000, 1, -1 do t[i] = nil; assert(#t == i - 1) end
t = {}
for i = 1000, 1, -1 do t[i] = i end
assert(#t == 1000)
-- holes: any border is right
math.randomseed(7)
for round = 1, 200 do
  local n = math.random(0, 40)
  t = {}
  for i = 1, n do t[i] = i end
  for _ = 1, math.random(0, 20) do t[math.random(1, 50)] = math.random(2) == 1 and 1 or nil end
  assert(isborder(t, #t))
end
assert(#{1, 2, nil, 4} == 4 and #{n = 1} == 0 and #{nil} == 0 and isborder({nil, 2}, #{nil, 2}))
assert(#{1, 2, 3, nil} == 3 and #{(function() return 1, 2, 3 end)()} == 3 and #{((function() return 1, 2 end)())} == 1)
-- keys that look like integers
t = {}
t[1.0], t[2], t[3.0] = "a", "b", "c"
assert(#t == 3 and t[1] == "a" and t[3] == "c" and math.type(next(t)) == "integer")
t[2 ^ 53] = 1
assert(t[1 << 53] == 1 and #t == 3)
t = {[1] = 1, [2] = 2, [4] = 4}
assert(isborder(t, #t))
-- negative, zero, huge, float keys
t = {[0] = "z", [-1] = "n", [math.maxinteger] = "max", [math.mininteger] = "min", [1.5] = "f", [math.huge] = "inf"}
assert(t[0] == "z" and t[-1] == "n" and t[math.maxinteger] == "max" and t[math.mininteger] == "min")
assert(t[1.5] == "f" and t[math.huge] == "inf" and #t == 0 and t[-0.0] == "z")
-- bad keys
assert(not pcall(function() t[nil] = 1 end) and not pcall(function() t[0 / 0] = 1 end))
assert(t[nil] == nil and t[0 / 0] == nil)
assert(not pcall(rawset, t, nil, 1) and not pcall(next, t, "no such key"))
-- table.insert, remove, move, unpack, concat
t = {}
for i = 1, 10 do table.insert(t, 1, i) end
assert(table.concat(t, " ") == "10 9 8 7 6 5 4 3 2 1" and table.remove(t) == 1 and table.remove(t, 1) == 10 and #t == 8)
assert(table.remove({}) == nil and table.remove({}, 0) == nil and not pcall(table.insert, t, 20, 1))
assert(not pcall(table.insert, t, 1, 2, 3) and not pcall(table.remove, t, 20))
t = table.move({1, 2, 3}, 1, 3, 2)
assert(table.concat(t, ",") == "1,1,2,3" and select("#", table.unpack({}, 1, 3)) == 3)
t = table.pack(nil, 2, nil)
assert(t.n == 3 and t[2] == 2 and select("#", table.unpack(t, 1, t.n)) == 3)
assert(not pcall(table.unpack, {}, 1, 1e8) and not pcall(table.concat, {1, {}, 3}))
-- sort
t = {}
for i = 1, 500 do t[i] = (i * 7919) % 503 end
table.sort(t)
for i = 2, #t do assert(t[i - 1] <= t[i]) end
table.sort(t, function(a, b) return a > b end)
for i = 2, #t do assert(t[i - 1] >= t[i]) end
assert(not pcall(table.sort, {1, "a", 2}) and not pcall(table.sort, {3, 1, 2, 5, 4}, 42))
-- a big constructor
local parts = {}
for i = 1, 3000 do parts[i] = tostring(i) end
t = load("return {" .. table.concat(parts, ",") .. "}")()
assert(#t == 3000 and t[2999] == 2999)
t = load("return {" .. table.concat(parts, ",") .. ", ...}")("x", "y")
assert(#t == 3002 and t[3002] == "y")
