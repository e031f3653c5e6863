-- error, pcall, xpcall, assert: levels, values, handlers; the errors of the standard functions.
-- Protects: vm/call.c, vm/dbg.c. Texts are compared with lua5.4's in tests/diff/error_*.lua.
local function msg(f, ...) local ok, e = pcall(f, ...); assert(not ok); return e end
assert(msg(error) == nil and msg(error, nil) == nil and msg(error, 1) == 1 and msg(error, false) == false)
local t = {}
assert(msg(error, t) == t and msg(error, "m", 0) == "m" and msg(error, "m") == "m")
local function l1() error("at1") end
local function l2() error("at2", 2) end
assert(msg(l1):match("^.*errors.lua:%d+: at1$") and msg(function() l2() end):match("errors.lua:%d+: at2$"))
-- levels
local function lv(n) error("x", n) end
local line = debug.getinfo(1, "l").currentline + 1
local e = msg(function() lv(2) end)
assert(e == "tests/vm/errors.lua:" .. line .. ": x" or e:match(":" .. line .. ": x$"))
assert(msg(lv, 3):match("x$") and msg(function() error("y", 50) end) == "y")
-- xpcall with handler: gets the error at the point of the error; results
local ok, a, b = xpcall(function() error("q", 0) end, function(m) return m .. "!", "dropped" end)
assert(ok == false and a == "q!" and b == nil)
ok, a = xpcall(function(x, y) return x + y end, print, 2, 3)
assert(ok and a == 5)
local tb = select(2, xpcall(function() local x = nil; x() end, debug.traceback))
assert(tb:find("attempt to call a nil value (local 'x')", 1, true) and tb:find("stack traceback:\n", 1, true))
-- error in the handler
ok, a = xpcall(error, function() error("again") end, "first")
assert(not ok)
ok, a = xpcall(error, error, "same")
assert(not ok and a == "same" or a ~= nil)
assert(not pcall(xpcall) and not pcall(xpcall, print))
-- nested pcall keep their own errors
ok, a, b = pcall(function() local ok, e = pcall(error, "in", 0); error(e .. "+out", 0) end)
assert(not ok and a == "in+out")
assert(select("#", pcall(function() return nil, nil end)) == 3)
-- assert
assert(select("#", assert(1, 2, 3)) == 3 and msg(assert, false) == "assertion failed!" and msg(assert, nil, "m") == "m")
assert(msg(assert, false, t) == t and msg(assert):find("value expected"))
-- the stack is clean after many errors
for i = 1, 10000 do pcall(error, i) end
local depth = 0
local function rec(n) depth = n; pcall(error, "x"); if n < 100 then return rec(n + 1) end return "ok" end
assert(rec(1) == "ok")
-- an error through several Lua and C levels
local function thrower() error({level = "deep"}) end
ok, e = pcall(function() table.sort({1, 2, 3}, function() string.gsub("x", "x", thrower) end) end)
assert(not ok and e.level == "deep")
-- in metamethods and iterators
ok, e = pcall(function() return setmetatable({}, {__index = function() error("idx", 0) end}).x end)
assert(not ok and e == "idx")
ok, e = pcall(function() for _ in function() error("it", 0) end do end end)
assert(not ok and e == "it")
-- error with a table that has __tostring stays a table
local obj = setmetatable({}, {__tostring = function() return "obj" end})
assert(msg(error, obj) == obj)
-- pcall of non-functions
assert(msg(nil) == "attempt to call a nil value" and msg({}) == "attempt to call a table value")
assert(not pcall(pcall) and select(2, pcall(pcall, nil)) == false)
-- tostring(-nan), integer overflow in for, string to number failing
assert(msg(function() return ("x"):rep(-1)() end):find("attempt to call a string value"))
assert(msg(string.rep):find("^bad argument #1 to '.*rep' %(string expected, got no value%)"))
assert(msg(setmetatable, 1, {}):find("table expected", 1, true) and msg(ipairs):find("bad argument #1 to 'ipairs'", 1, true))
-- warn
warn("@off")
warn("silent", " message")
assert(not pcall(warn) and not pcall(warn, {}))
