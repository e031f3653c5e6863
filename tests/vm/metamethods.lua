-- Every metamethod: arguments it gets, adjustment of results, chains, inheritance, raw access, cache invalidation.
-- Protects: vm/meta.c, vm/interp.c.
local mt = {}
local function new(v) return setmetatable({v = v}, mt) end
local function val(x) return type(x) == "table" and x.v or x end
local ops = {
  add = function(a, b) return a + b end, sub = function(a, b) return a - b end, mul = function(a, b) return a * b end,
  div = function(a, b) return a / b end, mod = function(a, b) return a % b end, pow = function(a, b) return a ^ b end,
  idiv = function(a, b) return a // b end, band = function(a, b) return a & b end, bor = function(a, b) return a | b end,
  bxor = function(a, b) return a ~ b end, shl = function(a, b) return a << b end, shr = function(a, b) return a >> b end,
  concat = function(a, b) return a .. b end,
}
for name, f in pairs(ops) do
  mt["__" .. name] = function(a, b) return name .. ":" .. tostring(val(a)) .. "," .. tostring(val(b)), "dropped" end
  assert(f(new(1), new(2)) == name .. ":1,2" and f(new(1), 2) == name .. ":1,2" and f(1, new(2)) == name .. ":1,2")
  assert(f(new(1), "x") == name .. ":1,x" and f("x", new(2)) == name .. ":x,2" and select("#", f(new(1), 1)) == 1)
  assert(f(new(1), 2.5) == name .. ":1,2.5" and f(nil, new(2)) == name .. ":nil,2")
end
local x = new(1)
assert(x + 1 == "add:1,1" and 1 + x == "add:1,1" and x - 1 == "sub:1,1" and 2 - x == "sub:2,1" and x * 3 == "mul:1,3")
assert(3 * x == "mul:3,1" and x // 2 == "idiv:1,2" and x & 7 == "band:1,7" and 7 & x == "band:7,1" and x << 1 == "shl:1,1")
assert(1 << x == "shl:1,1" and x >> 1 == "shr:1,1" and x ^ 2 == "pow:1,2" and x % 5 == "mod:1,5" and x / 5 == "div:1,5")
assert("a" .. "b" .. x == "aconcat:b,1" and "a" .. x .. "b" == "aconcat:1,b")
mt.__unm = function(a, b) assert(rawequal(a, b)); return "unm" end
mt.__bnot = function(a, b) assert(rawequal(a, b)); return "bnot" end
mt.__len = function(a) return "len" end
assert(-x == "unm" and ~x == "bnot" and #x == "len")
-- comparison
mt.__lt = function(a, b) return val(a) < val(b) end
mt.__le = function(a, b) return val(a) <= val(b) end
local eqs = 0
mt.__eq = function(a, b) eqs = eqs + 1; return val(a) == val(b) end
assert(new(1) < new(2) and not (new(2) < new(1)) and new(1) <= new(1) and new(2) > new(1) and new(2) >= new(2))
assert(new(1) < 2 and 1 < new(2) and new(1) <= 1 and 3 > new(1) and not (3 < new(1)))
assert(new(1) == new(1) and new(1) ~= new(2) and eqs == 2 and x == x and eqs == 2 and x ~= 1 and eqs == 2)
assert(rawequal(x, x) and not rawequal(new(1), new(1)))
mt.__lt = function() return nil end
assert((new(1) < new(2)) == false)
mt.__lt = function() return 0 end
assert((new(1) < new(2)) == true)
if new(1) < new(2) then else error("branch") end
-- only the first operand's handler, then the second's
local mt2 = {__add = function() return "second" end}
assert(x + setmetatable({}, mt2) ~= "second" and setmetatable({}, mt2) + x == "second")
-- index and newindex
local log = {}
local base = setmetatable({a = 1}, {__index = function(t, k) log[#log + 1] = k; return k .. "!" end})
local d = setmetatable({}, {__index = base})
assert(d.a == 1 and d.zz == "zz!" and log[1] == "zz" and d[5 .. ""] == "5!")
local store = {}
local p = setmetatable({}, {__newindex = store})
p.x, p[1] = 1, 2
assert(rawget(p, "x") == nil and store.x == 1 and store[1] == 2)
store.x = nil
p = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end})
p.a = 5
p.a = p.a + 1 -- present now: raw
assert(p.a == 11)
-- chain of __index of length 50; __newindex chain; loop is an error
local top = {deep = "yes"}
for _ = 1, 50 do top = setmetatable({}, {__index = top}) end
assert(top.deep == "yes" and top.no == nil)
local l1, l2 = {}, {}
setmetatable(l1, {__index = l2, __newindex = l2})
setmetatable(l2, {__index = l1, __newindex = l1})
local ok, e = pcall(function() return l1.x end)
assert(not ok and e:find("'__index' chain too long; possible loop", 1, true))
ok, e = pcall(function() l1.x = 1 end)
assert(not ok and e:find("'__newindex' chain too long; possible loop", 1, true))
-- __index on non-tables
debug.setmetatable(10, {__index = function(n, k) return k .. n end, __call = function(n, a) return n + a end})
assert((5).foo == "foo5" and (5)(6) == 11)
debug.setmetatable(10, nil)
debug.setmetatable(nil, {__index = function() return "nothing" end})
assert((nil).x == "nothing")
debug.setmetatable(nil, nil)
assert(not pcall(function() return (nil).x end))
-- call chains
local c1 = setmetatable({}, {__call = function(self, ...) return "c1", ... end})
local c2 = setmetatable({}, {__call = c1})
local a, b, c = c2(7)
assert(a == "c1" and b == c2 and c == 7 and select(2, c1(1)) == 1)
assert(not pcall(setmetatable({}, {__call = 42})))
-- cached absence is forgotten when the metamethod appears later
local m = {}
local o = setmetatable({}, m)
for _ = 1, 3 do assert(o.q == nil and not pcall(function() return #o + o end)) end
m.__index = function() return "late" end
assert(o.q == "late")
m.__index = nil
assert(o.q == nil)
m.__index = {q = "table"}
assert(o.q == "table")
rawset(m, "__index", nil)
assert(o.q == nil)
m.__eq = function() return true end
assert(o == setmetatable({}, m))
m.__len = function() return 42 end
assert(#o == 42)
m.__newindex = function(t, k, v) rawset(t, k, "caught " .. v) end
o.new = "v"
assert(o.new == "caught v")
-- inline access must see a metatable set after the first pass of the loop
local plain = {}
for i = 1, 4 do
  if i == 3 then setmetatable(plain, {__index = function() return "meta" end}) end
  assert(plain.field == (i >= 3 and "meta" or nil))
end
-- __metatable, __name, __tostring
local prot = setmetatable({}, {__metatable = "locked"})
assert(getmetatable(prot) == "locked" and not pcall(setmetatable, prot, {}))
assert(tostring(setmetatable({}, {__tostring = function() return "T!" end})) == "T!")
assert(not pcall(tostring, setmetatable({}, {__tostring = function() return {} end})))
assert(tostring(setmetatable({}, {__name = "My.Type"})):match("^My%.Type: "))
-- __concat from both sides with numbers
local cc = setmetatable({}, {__concat = function(l, r) return (type(l) == "table" and "T" or l) .. "|" .. (type(r) == "table" and "T" or r) end})
assert(1 .. cc == "1|T" and cc .. 1 == "T|1" and cc .. cc == "T|T" and "a" .. "b" .. cc .. "c" == "abT|c")
-- __div etc. yield
local y = setmetatable({}, {__add = function(a, b) return coroutine.yield(b) end, __index = function(_, k) return coroutine.yield(k) end,
  __lt = function() return coroutine.yield("lt") end, __eq = function() return coroutine.yield("eq") end,
  __concat = function() return coroutine.yield("cc") end, __len = function() return coroutine.yield("len") end,
  __newindex = function(_, k) coroutine.yield("ni") end, __call = function(_, k) return coroutine.yield("call") end,
  __unm = function() return coroutine.yield("unm") end})
local co = coroutine.wrap(function()
  local r = {}
  r[1] = y + 5
  r[2] = y.key
  r[3] = y < y
  r[4] = y == setmetatable({}, getmetatable(y))
  r[5] = "p" .. y
  r[6] = #y
  y.z = 1
  r[7] = y(1)
  r[8] = -y
  if y < y then r[9] = "taken" end
  if not (y > y) then r[10] = "not" end
  return table.unpack(r)
end)
assert(co() == 5 and co(1) == "key" and co(2) == "lt" and co(3) == "eq" and co(nil) == "cc" and co("cat") == "len")
assert(co(6) == "ni" and co() == "call" and co(7) == "unm" and co(8) == "lt" and co(true) == "lt")
local r = {co(false)}
assert(r[1] == 1 and r[2] == 2 and r[3] == true and r[4] == false and r[5] == "cat" and r[6] == 6 and r[7] == 7 and r[8] == 8)
assert(r[9] == "taken" and r[10] == "not")
