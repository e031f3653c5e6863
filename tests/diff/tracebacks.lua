-- Tracebacks of every kind of frame, as debug.traceback lays them out.
-- All in a coroutine.
coroutine.wrap(function()
local function clean(s)
  return (tostring(s):gsub("0x%x+", "ADDR"))
end
local function show(name, f, ...)
  print("== " .. name)
  print(clean((select(2, xpcall(f, debug.traceback, ...)))))
end
local function chunk(src, name) return assert(load(src, name or "=c")) end

local function fail() error("boom") end
local upf = fail
function globalf() upf() return 1 end
local T = {field = function() globalf() return 1 end, sub = {deep = fail}}
function T:method() self.field() return 1 end
function T.dotted() T:method() return 1 end
show("local function", function() fail() return 1 end)
show("global", function() globalf() return 1 end)
show("method", function() T:method() return 1 end)
show("dotted", function() T.dotted() return 1 end)
show("field of field", function() T.sub.deep() return 1 end)
show("index with a variable", function() local k = "field" T[k]() return 1 end)
show("index with a number", function() local a = {fail} a[1]() return 1 end)
show("parameter", function() (function(p) p() return 1 end)(fail) return 1 end)
show("temporary", function() (fail or nil)() return 1 end)
show("result of a call", function() (function() return fail end)()() return 1 end)
show("tail call", function() return fail() end)
show("tail calls", function()
  local function a() return fail() end
  local function b() return a() end
  b()
  return 1
end)
show("tail call of a method", function() return T:method() end)
show("tail call of a C function", function() return error("c") end)
show("pcall inside", function() local ok, e = pcall(fail) error(e, 0) end)
show("error in pcall's callee shown by xpcall", function() xpcall(fail, function(e) print(clean(debug.traceback(e))) end) error("x") end)
show("vararg function", function(...) local t = {...} fail(...) return t end, 1, 2)
show("metamethods", function()
  local mt = {}
  local o = setmetatable({}, mt)
  for _, e in ipairs {"add", "sub", "mul", "div", "mod", "pow", "unm", "idiv", "band", "bor", "bxor", "shl", "shr", "bnot", "concat", "len", "eq", "lt", "le",
    "index", "newindex", "call"} do
    mt["__" .. e] = function() print(clean(debug.traceback(e))) return 1 end
  end
  local p = setmetatable({}, mt)
  local x = o + 1
  x = 2 - o
  x = o * o
  x = o / 2
  x = o % 2
  x = o ^ 2
  x = -o
  x = o // 1
  x = o & 1
  x = o | 1
  x = 1 ~ o
  x = o << 1
  x = o >> 1
  x = ~o
  x = o .. "a"
  x = "a" .. "b" .. o
  x = #o
  x = o == p
  x = o ~= p
  x = o < p
  x = o <= 1
  x = o > p
  x = o.field
  x = o[1]
  o.field = 1
  o[1] = 2
  o()
  o(1, 2)
  x = o:m()
  if o < p then x = 1 end
  return 1
end)
show("__close", function()
  local c <close> = setmetatable({}, {__close = function() fail() end})
  return 1
end)
show("__close on error", function()
  local c <close> = setmetatable({}, {__close = function(_, e) print(clean(debug.traceback(e))) end})
  fail()
end)
show("__close at the end of a block", function()
  do local c <close> = setmetatable({}, {__close = function() fail() end}) end
  return 1
end)
show("__close of a generic for", function()
  for i in next, {1}, nil, setmetatable({}, {__close = function() fail() end}) do break end
  return 1
end)
show("__tostring", function() return tostring(setmetatable({}, {__tostring = fail})) end)
show("__pairs", function() for k in pairs(setmetatable({}, {__pairs = fail})) do end end)
show("__gc-like name", function() local t = {__gc = fail} t.__gc() return 1 end)
show("iterator", function() for i in fail do end end)
show("iterator closure", function() for i in (function() return function() fail() end end)() do end end)
show("sort comparator", function() table.sort({3, 2, 1}, function(a, b) fail() end) end)
show("gsub callback", function() string.gsub("abc", "%w", fail) end)
show("load reader", function() assert(load(fail)) end)
show("library through a local", function() local f = string.rep f() end)
show("library function", function() string.rep() end)
show("library method", function() ("x"):rep({}) end)
show("main chunk", chunk("local x = 1\nlocal y = x.z.w"))
show("main chunk of a string", chunk("error('in string')", "error('in string')"))
show("chunk of several lines", chunk("local a\nerror('in string')", "local a\nerror('in string')"))
show("chunk from a long file name", chunk("error('x')", "@" .. ("dir/"):rep(30) .. "file.lua"))
show("chunk with a long given name", chunk("error('x')", "=" .. ("name "):rep(30)))
show("chunk from a long string", chunk("error('x') -- " .. ("long "):rep(30), "error('x') -- " .. ("long "):rep(30)))
show("function inside a chunk", chunk("local function f()\n  error('x')\nend\nlocal t = {f = f}\nt.f()"))
show("stripped", load(string.dump(chunk("local function f() error('x') end\nf()"), true)))
show("stripped names", load(string.dump(chunk("local t = nil\nlocal u = t.x"), true)))
show("dofile-like", function() return chunk("error('inner')", "@inner.lua")() end)
show("deep recursion", function()
  local function down(n) if n == 0 then error("bottom") end down(n - 1) return 1 end
  down(30)
end)
show("deep recursion, one more than fits", function()
  local function down(n) if n == 0 then error("bottom") end down(n - 1) return 1 end
  down(17)
end)
show("deep recursion, all fit", function()
  local function down(n) if n == 0 then error("bottom") end down(n - 1) return 1 end
  down(15)
end)
show("mutual tail recursion", function()
  local a, b
  function a(n) if n == 0 then error("end") end return b(n - 1) end
  function b(n) return a(n) end
  a(10)
end)

-- other threads and levels
local co = coroutine.create(function(a) local x = coroutine.yield(a) fail() end)
print(clean(debug.traceback(co)), clean(debug.traceback(co, "not started")), clean(debug.traceback(co, nil, 0)))
coroutine.resume(co, 1)
print(clean(debug.traceback(co)))
print(clean(debug.traceback(co, "msg", 0)), clean(debug.traceback(co, "msg", 1)), clean(debug.traceback(co, "msg", 5)))
print(coroutine.resume(co))
print(clean(debug.traceback(co)))
print(clean(debug.traceback(co, "dead", 0)))
print(debug.traceback(12), debug.traceback({}) ~= nil, debug.traceback(nil) == nil, debug.traceback(true), clean(debug.traceback("m", 1)))
print(clean(debug.traceback("m", 0)), clean(debug.traceback("m", 100)))
show("error in a coroutine", function() local ok, e = coroutine.resume(coroutine.create(fail)) print(clean(e)) coroutine.wrap(fail)() end)
show("wrap in wrap", function() coroutine.wrap(function() coroutine.wrap(function() fail() end)() end)() end)
local co2 = coroutine.create(function()
  local t = setmetatable({}, {__index = function(_, k) coroutine.yield() end})
  local x = t.field
end)
coroutine.resume(co2)
print(clean(debug.traceback(co2)))
local co3 = coroutine.create(function() table.sort({1, 2, 3}, function(a, b) return pcall(coroutine.yield) end) end)
coroutine.resume(co3)
print(clean(debug.traceback(co3)))
local co4 = coroutine.create(function() for i in coroutine.wrap(function() coroutine.yield(1) end) do coroutine.yield() end end)
coroutine.resume(co4)
print(clean(debug.traceback(co4)))
local co5 = coroutine.create(function() return pcall(pcall, coroutine.yield) end)
coroutine.resume(co5)
print(clean(debug.traceback(co5)))
local co6 = coroutine.create(function() local c <close> = setmetatable({}, {__close = function() coroutine.yield() end}) return 1 end)
coroutine.resume(co6)
print(clean(debug.traceback(co6)))

-- error levels
local function lvl(n) error("level " .. n, n) end
for n = 0, 4 do
  show("error level " .. n, function() lvl(n) return 1 end)
  print(pcall(function() local function g() lvl(n) return 1 end g() return 1 end))
end
print(pcall(error)) print(pcall(error, nil)) print(pcall(error, {}, 2) == false) print(pcall(error, "x", 1)) print(pcall(error, "x", 2)) print(pcall(error, "x", 3))
show("error without message", error)
show("assert", function() assert(false) end)
show("assert with message", function() assert(nil, "msg") end)
show("assert with table", function() assert(nil, setmetatable({}, {__tostring = function() return "obj" end})) end)
-- handlers
print(xpcall(fail, function(e) return clean(debug.traceback(e, 0)) end))
print(xpcall(fail, function(e) error("again") end))
print(xpcall(fail, function(e) if e == "x" then return e end error("x", 0) end))
print(xpcall(function() return xpcall(fail, function(e) return "inner " .. e end) end, print))
print(select("#", xpcall(fail, function() return 1, 2, 3 end)), xpcall(fail, function() end))
print(pcall(xpcall)) print(pcall(xpcall, fail)) print(pcall(xpcall, fail, nil)) print(pcall(xpcall, fail, 5))
print(xpcall(error, function(e) return e end, nil), xpcall(error, type, {}))
local function so() return so() + 1 end
local ok, e = pcall(so)
print(ok, (e:gsub("%.%.%.%s.*", "")))
local ok, e = xpcall(so, function(m) return debug.traceback(m) end)
print(ok, (clean(e):gsub("%(skipping %d+ levels%)", "(skipping N levels)")))
end)()
