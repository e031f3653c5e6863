-- Weak tables, ephemerons, finalizers: what a program can observe.
-- Protects: vm/gc_weak.c, vm/gc_mark.c.
local function full() collectgarbage(); collectgarbage() end
local function count(t) local n = 0; for _ in pairs(t) do n = n + 1 end return n end
-- weak values, weak keys, both
local v = setmetatable({}, {__mode = "v"})
local keep = {}
v[1], v[2], v.x, v.s, v.n = {}, keep, {}, "string", 42
full()
assert(v[1] == nil and v[2] == keep and v.x == nil and v.s == "string" and v.n == 42 and count(v) == 3)
local k = setmetatable({}, {__mode = "k"})
k[{}], k[keep], k.s, k[1] = 1, 2, 3, {}
full()
assert(count(k) == 3 and k[keep] == 2 and type(k[1]) == "table")
local kv = setmetatable({}, {__mode = "kv"})
kv[{}], kv[1], kv[keep], kv[2] = 1, {}, {}, keep
full()
assert(count(kv) == 1 and kv[2] == keep)
-- ephemerons: a value that refers to its key does not keep it
local e = setmetatable({}, {__mode = "k"})
for i = 1, 100 do local key = {}; e[key] = {key} end
full()
assert(next(e) == nil)
-- chains of ephemerons
local first = {}
do local key = first; for i = 1, 50 do local nx = {}; e[key] = nx; key = nx end end
full()
assert(count(e) == 50)
do local key, n = first, 0; while e[key] do key = e[key]; n = n + 1 end assert(n == 50) end
first = nil
full()
assert(next(e) == nil)
-- two ephemeron tables that need each other
local e2 = setmetatable({}, {__mode = "k"})
local root = {}
do local a, b = {}, {}; e[root] = a; e2[a] = b; e[b] = {"end"} end
full()
assert(e[e2[e[root]]][1] == "end")
root = nil
full()
assert(next(e) == nil and next(e2) == nil)
-- finalizers: order is reverse to that of marking, called once
local order = {}
local mt = {__gc = function(o) order[#order + 1] = o.n end}
do local all = {} for i = 1, 10 do all[i] = setmetatable({n = i}, mt) end end
full()
assert(table.concat(order, ",") == "10,9,8,7,6,5,4,3,2,1")
full()
assert(#order == 10)
-- resurrection; a second setmetatable makes it finalizable again
local saved, times = nil, 0
local rmt
rmt = {__gc = function(o) times = times + 1; saved = o end}
setmetatable({val = "alive"}, rmt)
full()
assert(saved.val == "alive" and times == 1)
saved = nil
full()
assert(saved == nil and times == 1)
setmetatable({val = 2}, rmt)
full()
local again = saved
setmetatable(again, rmt)
saved, again = nil, nil
full()
assert(times == 3)
saved = nil
-- an object reachable only from one with a finalizer lives until that ran; weak values are cleared before, keys after
local wk, wv = setmetatable({}, {__mode = "k"}), setmetatable({}, {__mode = "v"})
local sawkey, sawval
do
  local o = {name = "o"}
  wk[o], wv[1] = "kv", o
  setmetatable(o, {__gc = function(x) sawkey, sawval = wk[x], wv[1] end})
end
full()
assert(sawkey == "kv" and sawval == nil)
full()
assert(next(wk) == nil)
-- __gc set after setmetatable is not seen; a field that is no function is ignored
local called = false
local late = {}
setmetatable({}, late)
late.__gc = function() called = true end
setmetatable({}, {__gc = true})
full()
assert(not called)
-- errors in finalizers do not stop the program; allocation inside one
setmetatable({}, {__gc = function() error("in gc") end})
setmetatable({}, {__gc = function() local t = {}; for i = 1, 1000 do t[i] = {i} end; called = true end})
full()
assert(called)
-- a finalizer that collects; that makes new finalizable objects
local n = 0
local function mk() setmetatable({}, {__gc = function() n = n + 1; collectgarbage(); if n < 5 then mk() end end}) end
mk()
for _ = 1, 10 do full() end
assert(n == 5)
-- strings are values: never removed as keys of weak tables
local w = setmetatable({}, {__mode = "k"})
for i = 1, 20 do w["key" .. i] = i end
full()
assert(count(w) == 20)
-- functions, coroutines as weak keys
w = setmetatable({}, {__mode = "k"})
for i = 1, 10 do w[function() return i end] = i; w[coroutine.create(function() return i end)] = i end
full()
assert(count(w) == 0)
-- __mode changed later
local m = {}
local tm = setmetatable({}, m)
tm[1] = {}
full()
assert(tm[1])
m.__mode = "v"
full()
assert(tm[1] == nil)
-- cycles are garbage
local probe = setmetatable({}, {__mode = "v"})
do local a, b = {}, {}; a.b, b.a = b, a; probe[1], probe[2] = a, b; local f; f = function() return f, a end; probe[3] = f end
full()
assert(next(probe) == nil)
-- collectgarbage options
assert(collectgarbage("count") > 0 and math.type(collectgarbage("count")) == "float" and collectgarbage() == 0)
assert(collectgarbage("isrunning") == true)
collectgarbage("stop")
assert(collectgarbage("isrunning") == false)
collectgarbage("restart")
assert(collectgarbage("isrunning") == true and type(collectgarbage("step")) == "boolean")
collectgarbage("incremental")
assert(collectgarbage("generational") == "incremental" and collectgarbage("incremental") == "generational")
assert(type(collectgarbage("setpause", 200)) == "number" and type(collectgarbage("setstepmul", 100)) == "number")
assert(not pcall(collectgarbage, "nonsense"))
-- garbage is in fact collected
full()
local before = collectgarbage("count")
for i = 1, 200000 do local t = {i, {}} end
full()
assert(collectgarbage("count") < before + 2000)
-- finalizers at the end of the program
setmetatable({}, {__gc = function() print("closed") end}) -- expect: closed
