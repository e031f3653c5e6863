-- load, loadstring by reader, environments, modes, dump and load, names of chunks.
-- Protects: vm/compile.c, vm/dump.c, _ENV in vm/resolve.c.
assert(load("return 1 + 1")() == 2 and load("return ...", "n", "t")(5) == 5)
local f, e = load("x =", "=chunk")
assert(not f and e == "chunk:1: unexpected symbol near <eof>")
f, e = load("return 1", "n", "b")
assert(not f and e == "attempt to load a text chunk (mode is 'b')")
f, e = load(string.dump(load "return 1"), "n", "t")
assert(not f and e == "attempt to load a binary chunk (mode is 't')")
-- reader function: pieces, nil and "" end it, errors, wrong types
local pieces = {"return ", "1", "0", " + 5", nil}
local i = 0
assert(load(function() i = i + 1; return pieces[i] end)() == 15)
i = 0
pieces = {"return 7", "", " + 1"}
assert(load(function() i = i + 1; return pieces[i] end)() == 7)
f, e = load(function() error("reader", 0) end)
assert(not f and e:find("^reader"))
f, e = load(function() return {} end)
assert(not f and e:find("reader function must return a string", 1, true))
i = 0
local src = "local a = 'some long string here' return a .. 'x', [[" .. ("y"):rep(100) .. "]]"
local r = load(function() i = i + 1; local c = src:sub(i, i); return c ~= "" and c or nil end)
assert(select(2, r()) == ("y"):rep(100))
-- environments
local env = {}
local g = load("x = 1; local function f() y = x + 1 end f() return _ENV", "n", "t", env)
assert(g() == env and env.x == 1 and env.y == 2 and x == nil)
assert(load("return _ENV", "n", "t", nil)() == nil and load("return 5", "n", "t", nil)() == 5)
assert(not pcall(load("return x", "n", "t", nil)))
do
  local _ENV = {assert = assert}
  z = 5
  assert(_ENV.z == 5)
end
local function withenv(_ENV) return a + b end
assert(withenv {a = 1, b = 2} == 3)
do local _ENV <const> = {y = 3}; local function q() return y end; _G = q end
assert(_G ~= nil)
-- string.dump: round trip with everything in it
local function orig(a, ...)
  local k <const>, t = 10, {1, "two", 3.5, x = true, [nil or 7] = math.mininteger}
  local up = 0
  local function inner() up = up + a; return up end
  for i = 1, 3 do inner() end
  for _, v in ipairs(t) do if v == "two" then goto found end end
  ::found::
  return up, t[3], t.x, t[7], k, select("#", ...), ("%d"):format(3), 0x7fffffffffffffff, 1e308, "\0bin\255", ("long"):rep(20)
end
for _, strip in ipairs {false, true} do
  local d = string.dump(orig, strip)
  assert(type(d) == "string" and d:sub(1, 1) == "\27")
  local copy = assert(load(d, "dumped", "b"))
  debug.setupvalue(copy, 1, _ENV)
  local x, y = table.pack(orig(2, 1, 2)), table.pack(copy(2, 1, 2))
  assert(x.n == y.n)
  for j = 1, x.n do assert(rawequal(x[j], y[j]) or x[j] == y[j], j) end
  assert(math.type(y[8]) == "integer")
end
-- upvalues of a loaded function are fresh; the first is set to the globals
local up1, up2 = 1, 2
local function ups() return up1, up2 end
local l = load(string.dump(ups))
assert(debug.getupvalue(l, 1) ~= nil and select(2, l()) == nil)
-- debug info of stripped and unstripped code
local function erring(v) local name = v; return name.field end
f = load(string.dump(erring))
assert(select(2, pcall(f, nil)):find("load_chunks.lua:%d+: attempt to index a nil value %(local 'name'%)"))
f = load(string.dump(erring, true))
assert(select(2, pcall(f, nil)):find("^%?:"), select(2, pcall(f, nil)))
assert(not pcall(string.dump, print) and not pcall(string.dump))
-- a dump in pieces
local d = string.dump(orig)
i = 0
assert(load(function() i = i + 1; return i <= #d and d:sub(i, i) or nil end, "b", "b"))
-- #! and BOM only in files
assert(not load("#!/bin/x\nreturn 1"))
local name = os.tmpname()
local function write(s) local h = io.open(name, "wb"); h:write(s); h:close() end
write("#!/usr/bin/env lua\nreturn 42, ...")
assert(select(2, assert(loadfile(name))(9)) == 9 and dofile(name) == 42)
write("\xEF\xBB\xBFreturn 43")
assert(dofile(name) == 43)
write("# first line\n" .. "error('here')")
assert(select(2, pcall(dofile, name)):find(":2: here", 1, true))
write(string.dump(function() return 44 end))
assert(dofile(name) == 44 and not loadfile(name, "t") and loadfile(name, "b"))
write("return x")
assert(loadfile(name, "t", {x = 45})() == 45)
os.remove(name)
f, e = loadfile(name)
assert(not f and e:find("cannot open"))
-- chunk names
local function where(n) return select(2, pcall(load("error('m')", n))) end
assert(where("=name") == "name:1: m" and where("@file.lua") == "file.lua:1: m" and where("code") == '[string "code"]:1: m')
assert(where("two\nlines") == '[string "two..."]:1: m' and #where("=" .. ("n"):rep(100)) == 59 + 5)
assert(where(nil) == [=[[string "error('m')"]:1: m]=])
