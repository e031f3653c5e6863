-- string.sub, upper and lower, and getmetatable, with every kind of argument: same results and messages as lua5.4.
-- Protects: stdlib/strlib.c, stdlib/quicklib.c.
local function show(name, f, ...)
  local r = table.pack(pcall(f, ...))
  for i = 1, r.n do r[i] = type(r[i]) == "string" and string.format("%q", r[i]) or tostring(r[i]) end
  print(name, table.concat(r, " ", 1, r.n))
end

local positions = {0, 1, 2, 3, 4, 5, 100, -1, -2, -3, -4, -5, -100, 2.0, "2", "-1", 1.5, "x", math.maxinteger, math.mininteger, {}, true}
for _, s in ipairs {"", "a", "abc", "\0b\0", 123, 1.5} do
  for _, i in ipairs(positions) do
    local itext = type(i) == "table" and "table" or tostring(i)
    show("sub " .. s .. " " .. itext, string.sub, s, i)
    show("sub nil " .. s .. " " .. itext, string.sub, s, i, nil)
    for _, j in ipairs(positions) do
      show("sub " .. s .. " " .. itext .. " " .. (type(j) == "table" and "table" or tostring(j)), string.sub, s, i, j)
    end
  end
end
show("sub no arguments", string.sub)
show("sub no position", string.sub, "abc")
show("sub nil", string.sub, nil, 1)
show("sub surplus", string.sub, "abc", 2, 2, {})
print(("abc"):sub(2), ("abc"):sub(-2, -2), (("x"):rep(100)):sub(30, 80))
print(pcall(function() return ("abc"):sub() end))
print(pcall(function() return ("abc"):sub(1, {}) end))

local all = {}
for b = 0, 255 do all[#all + 1] = string.char(b) end
all = table.concat(all)
for _, s in ipairs {"", "Abc xYZ 1\0é", all, all:rep(40), 12, 1e300} do
  local up, low = string.upper(s), string.lower(s)
  print(#up, #low, up == low, ("%q"):format(up:sub(1, 400)), ("%q"):format(low:sub(1, 400)))
end
for _, f in ipairs {"upper", "lower"} do
  show(f .. " nothing", string[f])
  show(f .. " nil", string[f], nil)
  show(f .. " table", string[f], {})
  show(f .. " surplus", string[f], "aB", 1)
  print(pcall(function() return (nil)[f] end))
end

local plain, protected = {}, {__metatable = "locked"}
local t = setmetatable({}, plain)
print(getmetatable(t) == plain, getmetatable(setmetatable({}, protected)), getmetatable({}), getmetatable(1), getmetatable(nil))
print(getmetatable("").__index == string, getmetatable(print), getmetatable(io.stdout) == getmetatable(io.stderr))
plain.__metatable = 7 -- it was noted that there was none
print(getmetatable(t), pcall(setmetatable, t, nil))
plain.__metatable = false
print(getmetatable(t), pcall(setmetatable, t, nil))
plain.__metatable = nil
print(getmetatable(t) == plain, getmetatable(setmetatable(t, nil)))
local chain = setmetatable({}, setmetatable({}, {__index = {__metatable = "no"}}))
print(type(getmetatable(chain)))
show("getmetatable nothing", getmetatable)
show("getmetatable surplus", getmetatable, {}, 1)
