-- Big and deep sources: compile or fail cleanly, in reasonable time.
-- Protects: Compiler.depth in vm/parse.c, jump and constant ranges in vm/codegen.c.
local function deep(open, mid, close, n) return open:rep(n) .. mid .. close:rep(n) end
for _, t in ipairs {{"(", "1", ")"}, {"{", "", "}"}, {"- ", "1", ""}, {"not ", "1", ""}, {"f(", "", ")"}, {"a[", "1", "]"}, {"1 + (", "1", ")"}, {"a .. ", "1", ""},
  {"2 ^ ", "1", ""}, {"function() return ", "1", " end"}, {"<-", "c", ""}, {"{x = ", "1", "}"}, {"a and (", "1", ")"}} do
  assert(load("return " .. deep(t[1], t[2], t[3], 45)), t[1])
  local f, e = load("return " .. deep(t[1], t[2], t[3], 100000))
  assert(not f and e:find("overflow", 1, true), t[1] .. tostring(e))
end
for _, t in ipairs {{"do ", "", " end"}, {"if x then ", "", " end"}, {"while x do ", "", " end"}, {"for i = 1, 2 do ", "", " end"}, {"repeat ", "", " until x"}, {"function f() ", "", " end"},
  {"local function f() ", "", " end"}, {"select case <-a then ", "", " end"}, {"go function() ", "", " end()"}} do
  assert(load(deep(t[1], t[2], t[3], 45)), t[1])
  local f, e = load(deep(t[1], t[2], t[3], 100000))
  assert(not f and (e:find("overflow", 1, true) or e:find("too many", 1, true)), t[1] .. tostring(e))
end
-- left-growing chains have no limit
assert(load("local a = 1 return " .. ("a + "):rep(100000) .. "a")() == 100001)
assert(load("local a = 1 return " .. ("a * "):rep(100000) .. "a")() == 1)
assert(load("local t = {} t.x = t return t" .. (".x"):rep(100000)))
assert(load("local function f() return f end local f = function() end return " .. "f" .. ("()"):rep(10) ))
assert(load("return " .. ("true and "):rep(50000) .. "7")() == 7)
assert(load("return " .. ("nil or "):rep(50000) .. "7")() == 7)
-- many statements, constants, locals in sequence, long jumps
local parts = {}
for i = 1, 100000 do parts[i] = "x = " .. i end
local env = {}
load(table.concat(parts, "\n"), "=big", "t", env)()
assert(env.x == 100000)
for i = 1, 70000 do parts[i] = "['k" .. i .. "'] = " .. i .. ".5" end
local t = load("return {" .. table.concat(parts, ",", 1, 70000) .. "}")()
assert(t.k1 == 1.5 and t.k70000 == 70000.5)
for i = 1, 70000 do parts[i] = "s = 'str" .. i .. "'" end
load(table.concat(parts, "\n", 1, 70000), "=big", "t", env)()
assert(env.s == "str70000")
local body = table.concat(parts, "\n", 1, 70000)
assert(load("for i = 1, 2 do if i == 3 then " .. body .. " end n = i end", "=b", "t", env))()
assert(env.n == 2)
assert(load("local i = 0 while true do i = i + 1 if i > 2 then break end " .. body .. " end return i", "=b", "t", env)() == 3)
assert(load("do goto over end " .. body .. " ::over:: return 'over'", "=b", "t", env)() == "over")
for i = 1, 3000 do parts[i] = "function f" .. i .. "() return " .. i .. " end" end
load(table.concat(parts, "\n", 1, 3000), "=b", "t", env)()
assert(env.f3000() == 3000)
-- long tokens
local name = ("n"):rep(100000)
assert(load("local " .. name .. " = 5 return " .. name)() == 5)
assert(#load("return '" .. ("x"):rep(1000000) .. "'")() == 1000000 and #load("return [[" .. ("y\n"):rep(500000) .. "]]")() == 1000000)
assert(load("return " .. ("1"):rep(1000)) and load("return 0x" .. ("f"):rep(1000))() == -1 and load("--" .. ("c"):rep(1000000) .. "\nreturn 1")() == 1)
assert(load("--[" .. ("="):rep(1000) .. "[ x ]" .. ("="):rep(1000) .. "] return 2")() == 2)
local f, e = load(("x"):rep(200) .. " = = 1")
assert(not f and #e < 400)
-- 255 arguments and results
local args = {}
for i = 1, 250 do args[i] = "a" .. i end
assert(not load("local function f(" .. table.concat(args, ",") .. ") end"))
assert(load("return " .. table.concat(args, ",")))
-- hundreds of thousands of lines keep their numbers
f = load(("\n"):rep(300000) .. "error('here')", "=lines")
assert(select(2, pcall(f)) == "lines:300001: here")
