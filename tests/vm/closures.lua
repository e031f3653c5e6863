-- Closures: captured variables, freshness in loops, sharing, recursion.
-- Protects: vm/resolve.c (what is captured), cells in vm/codegen.c.
local fs = {}
for i = 1, 3 do fs[i] = {get = function() return i end, inc = function() i = i + 1 end} end
fs[1].inc()
assert(fs[1].get() == 2 and fs[2].get() == 2 and fs[3].get() == 3)
fs = {}
for k, v in pairs {a = 1, b = 2} do fs[k] = function() v = v + 1; return k .. v end end
assert(fs.a() == "a2" and fs.a() == "a3" and fs.b() == "b3")
fs = {}
local n = 0
while n < 3 do n = n + 1; local x = n; fs[n] = function() x = x + 1; return x end end
assert(fs[1]() == 2 and fs[1]() == 3 and fs[2]() == 3 and fs[3]() == 4)
fs = {}
n = 0
repeat n = n + 1; local x = n * 10; fs[n] = function() return x end until x >= 30 or fs[n]() > 100
assert(#fs == 3 and fs[1]() == 10 and fs[3]() == 30)
-- goto back over a local makes a fresh one
fs = {}
do
  local i = 1
  ::again::
  local y = i
  fs[i] = function() y = y + 1; return y end
  i = i + 1
  if i <= 3 then goto again end
end
assert(fs[1]() == 2 and fs[1]() == 3 and fs[2]() == 3)
-- two closures share one variable; the variable's owner sees writes
local function counter()
  local c = 0
  local function up() c = c + 1 end
  local function get() return c end
  up()
  assert(c == 1)
  c = 10
  up()
  return up, get
end
local up, get = counter()
up()
assert(get() == 12 and get() == 12)
-- parameters, varargs and nested levels
local function add(a) return function(b) return function(c) a = a + 1; return a + b + c end end end
local f = add(1)(2)
assert(f(3) == 7 and f(3) == 8)
local function va(...) local a, b = ...; return function() a = a .. b; return a end end
local g = va("x", "y")
assert(g() == "xy" and g() == "xyy")
-- recursive local function, mutual recursion through upvalues
local function fact(k) return k <= 1 and 1 or k * fact(k - 1) end
assert(fact(10) == 3628800)
local even, odd
function even(k) if k == 0 then return true end return odd(k - 1) end
function odd(k) if k == 0 then return false end return even(k - 1) end
assert(even(1000) and not even(1001))
-- multiple assignment and swap, order independence
local a, b, c = 1, 2, 3
a, b, c = c, a, b
assert(a == 3 and b == 1 and c == 2)
local i, t = 1, {}
i, t[i] = i + 1, 20
assert(i == 2 and t[1] == 20)
do
  local a = {}
  local x = a
  a.x, a = 1, nil -- the table is evaluated before
  assert(x.x == 1 and a == nil)
end
do -- captured variables in multiple assignment
  local p, q = 1, 2
  local function both() return p, q end
  p, q = q, p
  local m, k = both()
  assert(m == 2 and k == 1)
end
-- a captured parameter that is assigned; a captured for variable in nested loops
local function cap(v) local r = function() return v end; v = v * 2; return r end
assert(cap(21)() == 42)
fs = {}
for x = 1, 2 do for y = 1, 2 do fs[#fs + 1] = function() return x * 10 + y end end end
assert(fs[1]() == 11 and fs[2]() == 12 and fs[3]() == 21 and fs[4]() == 22)
-- debug.upvalueid, upvaluejoin
local function mk() local v = 0; return function() return v end, function(x) v = x end end
local g1, s1 = mk()
local g2, s2 = mk()
assert(debug.upvalueid(g1, 1) == debug.upvalueid(s1, 1) and debug.upvalueid(g1, 1) ~= debug.upvalueid(g2, 1))
debug.upvaluejoin(g1, 1, s2, 1)
s2(99)
assert(g1() == 99 and debug.getupvalue(g1, 1) == "v" and debug.setupvalue(g2, 1, 5) == "v" and g2() == 5)
-- 200 closures in one function; 255 upvalues
local src = {}
for k = 1, 190 do src[#src + 1] = "local v" .. k .. " = " .. k end
src[#src + 1] = "return function() return 0"
for k = 1, 190 do src[#src + 1] = " + v" .. k end
src[#src + 1] = " end"
assert(load(table.concat(src, "\n"))()() == 190 * 191 // 2)
