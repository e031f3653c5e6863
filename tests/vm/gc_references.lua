-- Everything that must keep a value alive does: registers, upvalues, coroutine stacks, to-be-closed, metatables,
-- temporaries in the middle of expressions. Run with LUNGODEBUG=gcstress=1 by stress.sh.
-- Protects: roots in vm/gc_mark.c; top and liveness in vm/interp.c.
local function gc() collectgarbage() return nil end
local function fresh(n) local t = {}; for i = 1, n do t[i] = {i} end return t end
local a, b, c = {1}, (gc()), {3}
assert(a[1] == 1 and c[1] == 3)
assert(#{{1}, gc(), {2}} == 3 and ({{1}, gc(), {2}})[1][1] == 1)
local s = ("a"):rep(10) .. tostring(gc()) .. ("b"):rep(10)
assert(s == "aaaaaaaaaanilbbbbbbbbbb")
local function args(x, y, z) gc(); return x[1] + z[1] end
assert(args({1}, gc(), {2}) == 3)
local function va(...) gc(); local p = {...}; gc(); return select("#", ...), p end
local n, p = va({1}, {2}, {3})
assert(n == 3 and p[3][1] == 3)
local function up() local u = {7}; gc(); return function() gc(); return u[1] end end
assert(up()() == 7)
local co = coroutine.wrap(function(x) local y = {x[1] + 1}; coroutine.yield(gc()); gc(); coroutine.yield(y); return x end)
co({1}); gc()
assert(co()[1] == 2 and co()[1] == 1)
for _, v in ipairs(fresh(20)) do gc(); assert(v[1] >= 1) end
for k, v in pairs({x = {1}, y = {2}}) do gc(); assert(v[1]) end
for i, v in (function() local t = fresh(5); return function(_, i) gc(); i = i + 1; if t[i] then return i, t[i] end end, nil, 0 end)() do assert(v[1] == i) end
do
  local log = {}
  do local x <close> = setmetatable({v = {9}}, {__close = function(o) gc(); log[1] = o.v[1] end}) gc() end
  assert(log[1] == 9)
end
local m = setmetatable({}, {__index = function(_, k) gc(); return {k} end, __add = function(x, y) gc(); return {"sum"} end,
  __concat = function() gc(); return {"cat"} end, __eq = function() gc(); return true end})
assert(m.abc[1] == "abc" and (m + {1})[1] == "sum" and (m .. "x")[1] == "cat" and m == setmetatable({}, getmetatable(m)))
local t = {}
for i = 1, 50 do t[#t + 1] = tostring(i) .. "x"; if i % 10 == 0 then gc() end end
assert(table.concat(t):sub(1, 6) == "1x2x3x")
assert(select(2, pcall(function() local x = {"e"}; gc(); error(x) end))[1] == "e")
local function deep(k) local l = {k}; if k > 0 then local r = deep(k - 1); gc(); return l[1] + r end return 0 end
assert(deep(30) == 465)
t = setmetatable({}, {__newindex = function(o, k, v) gc(); rawset(o, k, v) end})
t[{}] = {5}
assert(select(2, next(t))[1] == 5)
assert(load("local x = {...} collectgarbage() return x[1]")("v") == "v")
local sorted = fresh(30)
table.sort(sorted, function(x, y) if x[1] % 10 == 0 then gc() end return x[1] > y[1] end)
assert(sorted[1][1] == 30)
assert(("abc"):gsub(".", function(ch) gc(); return ch .. "-" end) == "a-b-c-")
local bt = {}
for i = 1, 5 do bt[i] = debug.traceback("t" .. i); gc() end
assert(bt[5]:match("^t5"))
local keys = {}
for i = 1, 200 do keys["k" .. i] = {i}; if i % 50 == 0 then gc() end end
for i = 1, 200 do assert(keys["k" .. i][1] == i) end
