-- Requests that cannot be met are `not enough memory` or an argument error, catchable, and the program goes on.
-- Protects: vm/heap.c, vm/str.c, vm/table.c.
local function fails(f, ...) local ok, e = pcall(f, ...); assert(not ok, "no error"); return tostring(e) end
assert(fails(string.rep, "abc", math.maxinteger):find("resulting string too large", 1, true))
assert(fails(string.rep, "x", 1 << 40, "y"):find("resulting string too large", 1, true))
assert(fails(table.concat, setmetatable({}, {__len = function() return math.maxinteger end})):find("invalid value", 1, true))
assert(fails(table.unpack, {}, 1, 1 << 30):find("too many results to unpack", 1, true))
assert(fails(table.unpack, {}, math.mininteger, math.maxinteger):find("too many results to unpack", 1, true))
assert(fails(string.byte, ("x"):rep(1e7), 1, -1):find("too", 1, true))
assert(fails(string.format, "%099999d", 1):find("invalid", 1, true))
assert(fails(chan, math.maxinteger):find("capacity out of range", 1, true))
assert(fails(chan, -1):find("capacity out of range", 1, true))
-- a large array is possible, and given back
local before = collectgarbage("count")
do local t = {} for i = 1, 2000000 do t[i] = i end assert(#t == 2000000) end
do local s = ("x"):rep(50000000) assert(#s == 50000000) end
collectgarbage() collectgarbage()
assert(collectgarbage("count") < before + 8000)
-- lengths and ends that overflow
assert(("x"):rep(0, ("y"):rep(1000)) == "" and ("x"):sub(math.maxinteger) == "" and ("abc"):sub(2, math.maxinteger) == "bc")
assert(not pcall(table.move, {}, 1, math.maxinteger, 2))
assert(select("#", table.unpack({}, math.maxinteger, math.maxinteger)) == 1 and select("#", table.unpack({}, math.maxinteger, math.mininteger)) == 0)
-- patterns
assert(fails(string.find, ("a"):rep(300000), ("a?"):rep(300000) .. "b"):find("pattern too complex", 1, true))
assert(fails(string.find, "x", ("("):rep(40) .. "x" .. (")"):rep(40)):find("too many captures", 1, true))
assert(fails(string.rep, ("x"):rep(1000), 1 << 60):find("too large", 1, true))
