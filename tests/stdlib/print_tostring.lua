-- print uses __tostring and __name; tostring's errors; print's return values.
print(setmetatable({}, {__tostring = function() return "custom" end}), nil, true, 1.0, "s") -- expect: custom	nil	true	1.0	s
print((tostring(setmetatable({}, {__name = "N.ame"})):gsub("0x%x+", "ADDR"))) -- expect: N.ame: ADDR
print() -- expect: 
print("a\0b" == "a" .. "\0" .. "b") -- expect: true
print(select("#", print("x"))) -- expect: x
-- expect: 0
print(pcall(print, setmetatable({}, {__tostring = function() return {} end}))) -- expect: false	'__tostring' must return a string
print(pcall(print, setmetatable({}, {__tostring = function() error("in tostring", 0) end}))) -- expect: false	in tostring
local co = coroutine.wrap(function() return pcall(print, setmetatable({}, {__tostring = function() return coroutine.yield() end})) end)
print(co()) -- expect: false	attempt to yield across a C-call boundary
print(("x"):rep(3), #tostring(print) > 10, type(tostring({}))) -- expect: xxx	true	string
io.write("w", 1, 2.5, "\n") -- expect: w12.5
print(-0.0, 1e15, 2^63, math.mininteger, 1e100, 0x10) -- expect: -0.0	1e+15	9.2233720368548e+18	-9223372036854775808	1e+100	16
print(string.format("%s %s %d %5.1f|%-5s|%q", nil, {} ~= nil, 3, 2.25, "ab", "q\n")) -- expect: nil true 3   2.2|ab   |"q\
-- expect: "
