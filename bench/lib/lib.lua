-- Standard library functions and the C interface in loops. Prints a line `name nanoseconds` for each (CPU time per call,
-- the best of three); arg[1]: a pattern of names. Runs on lungo and on lua5.4.
local want = arg[1] or ""
local clock = os.clock
local function bench(name, n, f)
  if not name:find(want) then return end
  local best = math.huge
  for _ = 1, 3 do
    local t0 = clock()
    f(n)
    best = math.min(best, clock() - t0)
  end
  print(string.format("%s %.2f", name, best / n * 1e9))
end

local text = ("the quick brown fox jumps over the lazy dog; "):rep(20)
local words = {}
for w in text:gmatch("%a+") do words[#words + 1] = w end

bench("string.format %d", 400000, function(n) local f = string.format for i = 1, n do f("%d", i) end end)
bench("string.format %s", 400000, function(n) local f = string.format for i = 1, n do f("%s-%s", "abc", i) end end)
bench("string.format %5.2f", 200000, function(n) local f = string.format for i = 1, n do f("%5.2f", i / 3) end end)
bench("string.format %q", 200000, function(n) local f = string.format for _ = 1, n do f("%q", "a\nb\"c") end end)
bench("string.rep", 300000, function(n) local f = string.rep for _ = 1, n do f("ab", 50) end end)
bench("string.rep sep", 300000, function(n) local f = string.rep for _ = 1, n do f("ab", 20, ",") end end)
bench("string.gsub string", 5000, function(n) for _ = 1, n do text:gsub("o", "0") end end)
bench("string.gsub function", 3000, function(n) for _ = 1, n do text:gsub("%a+", function(w) return w end) end end)
bench("string.gsub table", 3000, function(n) local t = {fox = "cat"} for _ = 1, n do text:gsub("%a+", t) end end)
bench("string.gmatch", 3000, function(n) for _ = 1, n do for _ in text:gmatch("%a+") do end end end)
bench("string.gmatch captures", 3000, function(n) for _ = 1, n do for _, _ in text:gmatch("(%a)(%a+)") do end end end)
bench("string.find plain", 300000, function(n) for _ = 1, n do text:find("lazy", 1, true) end end)
bench("string.find pattern", 200000, function(n) for _ = 1, n do text:find("l%a+y") end end)
bench("string.match", 200000, function(n) for _ = 1, n do text:match("(%a+)%s+(%a+)") end end)
bench("string.byte", 3000000, function(n) local f = string.byte for i = 1, n do f(text, i % 800 + 1) end end)
bench("string.byte method", 3000000, function(n) for i = 1, n do text:byte(i % 800 + 1) end end)
bench("string.char", 1000000, function(n) local f = string.char for i = 1, n do f(65 + i % 26, 66, 67) end end)
bench("string.sub", 2000000, function(n) for i = 1, n do text:sub(i % 800 + 1, i % 800 + 8) end end)
bench("string.sub one", 2000000, function(n) for i = 1, n do text:sub(i % 800, i % 800) end end)
bench("string.len", 3000000, function(n) for _ = 1, n do text:len() end end)
bench("string.upper", 200000, function(n) for _ = 1, n do text:upper() end end)
bench("string.reverse", 200000, function(n) for _ = 1, n do text:reverse() end end)
bench("string.pack", 500000, function(n) local f = string.pack for i = 1, n do f("<i4d", i, 1.5) end end)
bench("string.unpack", 500000, function(n)
  local f, s = string.unpack, string.pack("<i4d", 1, 1.5)
  for _ = 1, n do f("<i4d", s) end
end)
bench("utf8.char", 500000, function(n) local f = utf8.char for i = 1, n do f(0x20AC, 100 + i % 1000) end end)
bench("utf8.codes", 3000, function(n) for _ = 1, n do for _ in utf8.codes(text) do end end end)
bench("utf8.len", 20000, function(n) for _ = 1, n do utf8.len(text) end end)
bench("concat ..", 1000000, function(n) for i = 1, n do local _ = "a" .. i .. "b" end end)

bench("table.insert append", 3000000, function(n) local f, t = table.insert, {} for i = 1, n do f(t, i) end end)
bench("table.insert middle", 100000, function(n)
  local f, t = table.insert, {1, 2, 3, 4, 5, 6, 7, 8}
  for i = 1, n do f(t, 4, i) table.remove(t, 4) end
end)
bench("table.remove last", 3000000, function(n)
  local f, t = table.remove, {}
  for i = 1, n do t[i] = i end
  for _ = 1, n do f(t) end
end)
bench("table.concat", 20000, function(n) local f = table.concat for _ = 1, n do f(words, ",") end end)
bench("table.concat numbers", 20000, function(n)
  local f, t = table.concat, {}
  for i = 1, 100 do t[i] = i end
  for _ = 1, n do f(t, ",") end
end)
bench("table.sort numbers", 30, function(n)
  for s = 1, n do
    local t, x = {}, s
    for i = 1, 5000 do x = (x * 1103515245 + 12345) & 0x7fffffff t[i] = x end
    table.sort(t)
  end
end)
bench("table.sort strings", 30, function(n)
  for s = 1, n do
    local t, x = {}, s
    for i = 1, 3000 do x = (x * 1103515245 + 12345) & 0x7fffffff t[i] = "k" .. x end
    table.sort(t)
  end
end)
bench("table.sort function", 20, function(n)
  for s = 1, n do
    local t, x = {}, s
    for i = 1, 5000 do x = (x * 1103515245 + 12345) & 0x7fffffff t[i] = x end
    table.sort(t, function(a, b) return a > b end)
  end
end)
bench("table.unpack", 1000000, function(n)
  local f, t = table.unpack, {1, 2, 3, 4, 5, 6, 7, 8}
  for _ = 1, n do f(t) end
end)
bench("table.pack", 500000, function(n) local f = table.pack for i = 1, n do f(i, 2, 3, 4) end end)
bench("table.move", 200000, function(n)
  local f, t, u = table.move, {1, 2, 3, 4, 5, 6, 7, 8}, {}
  for _ = 1, n do f(t, 1, 8, 1, u) end
end)
bench("select #", 2000000, function(n) local f = select for _ = 1, n do f("#", 1, 2, 3) end end)
bench("select n", 2000000, function(n) local f = select for _ = 1, n do f(2, 1, 2, 3) end end)

for _, name in ipairs {"abs", "floor", "ceil", "sqrt", "sin", "exp", "log", "tointeger", "type"} do
  bench("math." .. name, 3000000, function(n) local f = math[name] for i = 1, n do f(i) end end)
end
bench("math.max", 3000000, function(n) local f = math.max for i = 1, n do f(i, 5, 7) end end)
bench("math.fmod", 3000000, function(n) local f = math.fmod for i = 1, n do f(i, 7) end end)
bench("math.random", 3000000, function(n) local f = math.random for _ = 1, n do f(100) end end)
bench("math.random float", 3000000, function(n) local f = math.random for _ = 1, n do f() end end)
bench("tostring int", 1000000, function(n) for i = 1, n do tostring(i) end end)
bench("tostring float", 300000, function(n) for i = 1, n do tostring(i + 0.5) end end)
bench("tonumber", 1000000, function(n) for _ = 1, n do tonumber("12345") end end)
bench("tonumber float", 1000000, function(n) for _ = 1, n do tonumber("123.25") end end)
bench("tonumber base", 1000000, function(n) for _ = 1, n do tonumber("7fff", 16) end end)
bench("type", 3000000, function(n) for i = 1, n do type(i) end end)
bench("rawget", 3000000, function(n) local t = {x = 1} for _ = 1, n do rawget(t, "x") end end)
bench("rawset", 3000000, function(n) local t = {x = 1} for i = 1, n do rawset(t, "x", i) end end)
bench("rawequal", 3000000, function(n) for i = 1, n do rawequal(i, 1) end end)
bench("rawlen", 3000000, function(n) local t = {1, 2} for _ = 1, n do rawlen(t) end end)
bench("getmetatable", 3000000, function(n) local t = setmetatable({}, {}) for _ = 1, n do getmetatable(t) end end)
bench("setmetatable object", 1000000, function(n)
  local mt = {__index = {get = function(self) return self.x end}}
  for i = 1, n do setmetatable({x = i}, mt):get() end
end)
bench("assert", 3000000, function(n) for i = 1, n do assert(i) end end)
bench("pcall", 2000000, function(n) local function f(i) return i end for i = 1, n do pcall(f, i) end end)
bench("pcall error", 200000, function(n) for _ = 1, n do pcall(error, "x") end end)
bench("next", 100, function(n)
  local t = {}
  for i = 1, 5000 do t["k" .. i] = i end
  for _ = 1, n do
    local k = next(t)
    while k do k = next(t, k) end
  end
end)
bench("pairs hash", 200, function(n)
  local t = {}
  for i = 1, 5000 do t["k" .. i] = i end
  for _ = 1, n do for _ in pairs(t) do end end
end)
bench("pairs array", 500, function(n)
  local t = {}
  for i = 1, 5000 do t[i] = i end
  for _ = 1, n do for _ in pairs(t) do end end
end)
bench("ipairs", 500, function(n)
  local t = {}
  for i = 1, 5000 do t[i] = i end
  for _ = 1, n do for _ in ipairs(t) do end end
end)
bench("load", 20000, function(n) for _ = 1, n do load("local a, b = 1, 2 return function(x) return a + b + x end") end end)
bench("coroutine.wrap", 1000000, function(n)
  local f = coroutine.wrap(function() while true do coroutine.yield(1) end end)
  for _ = 1, n do f() end
end)
bench("os.time", 1000000, function(n) for _ = 1, n do os.time() end end)
bench("os.clock", 500000, function(n) for _ = 1, n do os.clock() end end)
bench("io.write", 500000, function(n)
  local f = io.open("/dev/null", "w")
  for i = 1, n do f:write("line ", i, "\n") end
  f:close()
end)
bench("io.lines", 30, function(n)
  local name = os.tmpname()
  local f = io.open(name, "w")
  for i = 1, 5000 do f:write("this is line ", i, "\n") end
  f:close()
  for _ = 1, n do for _ in io.lines(name) do end end
  os.remove(name)
end)
