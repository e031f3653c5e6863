-- Varargs, adjustment of results, select, table.pack, tail calls with them.
-- Protects: OP_VARARG, OP_CALL with open results.
local function n(...) return select("#", ...) end
local function pass(...) return ... end
local function none() end
assert(n() == 0 and n(nil) == 1 and n(nil, nil) == 2 and n(pass()) == 0 and n((pass())) == 1 and n(pass(1, nil)) == 2)
assert(n(pass(1, 2), pass(1, 2)) == 3 and n(none()) == 0 and n((none())) == 1 and n(none(), none()) == 1)
local a, b, c = pass(1, 2)
assert(a == 1 and b == 2 and c == nil)
a, b, c = 0, pass(1, 2, 3)
assert(a == 0 and b == 1 and c == 2)
local t = {pass(1, 2, 3), pass(4, 5, 6)}
assert(#t == 4 and t[1] == 1 and t[2] == 4 and t[4] == 6)
t = {pass(1, 2), x = 1, pass(3, 4), n = 5}
assert(#t == 2 and t[1] == 1 and t[2] == 3)
t = {...}
assert(#t == 0)
local function f(a, ...) local b, c = ...; return a, b, c, n(...) end
local r = {f(1)}
assert(r[1] == 1 and r[2] == nil and r[4] == 0)
r = {f(1, 2, 3, 4)}
assert(r[2] == 2 and r[3] == 3 and r[4] == 3)
-- many
local big = {}
for i = 1, 5000 do big[i] = i end
assert(n(table.unpack(big)) == 5000 and select(5000, table.unpack(big)) == 5000 and select(-1, table.unpack(big)) == 5000)
assert(#{table.unpack(big)} == 5000 and #{pass(table.unpack(big))} == 5000)
assert(math.max(table.unpack(big)) == 5000 and #string.char(table.unpack(big, 1, 200)) == 200)
local function sum(...) local s = 0; for i = 1, select("#", ...) do s = s + (select(i, ...)) end; return s end
assert(sum(table.unpack(big, 1, 300)) == 300 * 301 // 2)
-- as table, in closures (through a copy), with nil in the middle
local function keep(...) local p = table.pack(...); return function() return table.unpack(p, 1, p.n) end end
assert(n(keep(1, nil, nil)()) == 3)
-- select errors
assert(not pcall(select, 0) and not pcall(select, -2, 1) and not pcall(select) and not pcall(select, "x"))
assert(n(select(2, 1)) == 0 and n(select(1, 1, 2)) == 2 and select("#") == 0)
-- tail calls: constant stack
local function loop(k, ...) if k == 0 then return "end", ... end return loop(k - 1, ...) end
local e, x, y = loop(100000, 7, nil)
assert(e == "end" and x == 7 and n(loop(10, 1, nil)) == 3)
local obj = {m = function(self, k) if k == 0 then return self end return self:m(k - 1) end}
assert(obj:m(100000) == obj)
local callable = setmetatable({}, {__call = function(self, ...) return n(...), ... end})
assert(callable(1, 2, 3) == 3 and select("#", callable(nil)) == 2)
local function tailmeta(k) if k == 0 then return callable(1, 2) end return tailmeta(k - 1) end
assert(tailmeta(1000) == 2)
-- method calls with varargs; string call; table call
local o = {v = 1}
function o:g(...) return self.v, ... end
assert(select("#", o:g(1, 2)) == 3 and select(3, o:g(pass(8, 9))) == 9)
assert(n "x" == 1 and n {} == 1 and type {} == "table" and #{n [[a]]} == 1)
-- vararg in the main chunk
assert(load("return select('#', ...)")(1, 2, 3) == 3 and load("local a, b = ... return b")(1, 2) == 2)
assert(not load("function f() return ... end"))
-- results through pcall, coroutines
assert(n(pcall(pass, 1, nil)) == 3 and n(coroutine.wrap(pass)(nil, nil)) == 2)
