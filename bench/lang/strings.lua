-- String building, formatting and patterns.
local parts = {}
for i = 1, 200000 do parts[#parts + 1] = "item" .. i .. ";" end
local s = table.concat(parts)
local n = 0
for w in s:gmatch("item(%d+);") do n = n + tonumber(w) end
assert(n == 200000 * 200001 // 2)
local r = s:gsub("item1(%d)", "<%1>")
assert(#r > 1000 and r:find("<0>", 1, true))
local t = {}
for i = 1, 200000 do t[i] = string.format("%d:%s:%5.2f", i, "x", i / 3) end
assert(t[3] == "3:x: 1.00")
local u = ""
for i = 1, 5000 do u = u .. string.char(97 + i % 26) end
assert(#u == 5000 and u:upper():lower() == u and u:reverse():reverse() == u)
