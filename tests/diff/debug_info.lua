-- debug.getinfo with every option, getlocal and setlocal of every kind of slot, upvalues, hooks and their events.
-- In a coroutine, whose base is the same in both.
coroutine.wrap(function()
local function clean(v) return (tostring(v):gsub("0x%x+", "ADDR")) end
local function dump(name, t)
  if type(t) ~= "table" then print(name, clean(t)) return end
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys)
  local out = {}
  for _, k in ipairs(keys) do
    local v = t[k]
    if k == "activelines" then
      local ls = {}
      for l in pairs(v) do ls[#ls + 1] = l end
      table.sort(ls)
      v = table.concat(ls, ",")
    end
    out[#out + 1] = k .. "=" .. clean(v)
  end
  print(name, table.concat(out, " "))
end

-- getinfo of functions
local up1, up2 = 1, 2
local function plain(a, b, ...)
  local c = a
  return up1 + up2
end
local function noargs() end
local stripped = load(string.dump(plain, true))
local main = load("local x = 1\n\n\nlocal function f()\n return x\nend\nreturn f", "=chunk")
local oneline = load("return function(...) return ... end", "@file.lua")()
for _, f in ipairs {plain, noargs, print, stripped, main, main(), oneline, string.gmatch("a", "a"), coroutine.wrap(print), load("goto a; ::a:: while nil do end", "long\nname"), load("return 1", "=" .. ("x"):rep(100)),
  load("return 1", "@" .. ("x/"):rep(100)), load("return 1", ("y"):rep(100)), load("return 1", ""), load("return 1", "@"), load("return 1", "=")} do
  dump("all", debug.getinfo(f, "nSlutfr"))
  for _, o in ipairs {"S", "l", "u", "n", "t", "r", "f", "L", "SL", "nSlutfrL", ""} do
    if f ~= stripped or not o:find("L") then dump(o, debug.getinfo(f, o)) end -- Lua 5.4.4 crashes on that
  end
end
for _, bad in ipairs {"X", ">", ">S", "S>", "lX"} do print(bad, pcall(debug.getinfo, 1, bad)) end
print(pcall(debug.getinfo)) print(pcall(debug.getinfo, "x")) print(pcall(debug.getinfo, {})) print(debug.getinfo(1000), pcall(debug.getinfo, -1)) print(pcall(debug.getinfo, 1, 5))

-- getinfo of levels
local T = {}
function T:m(...) dump("method", debug.getinfo(1)) dump("caller", debug.getinfo(2, "nlt")) dump("C", debug.getinfo(0, "nSltr")) return 1 end
T:m(1)
local function tail(...) return T:m(...) end
local x = tail(1)
x = pcall(T.m) x = select(2, pcall(tail))
table.sort({1, 2}, function(a, b) dump("comparator", debug.getinfo(1, "nSlt")) dump("sort", debug.getinfo(2, "nSlt")) return a < b end)
string.gsub("a", "a", function() dump("callback", debug.getinfo(1, "nt")) end)
for _ in (function() dump("iterator", debug.getinfo(1, "nt")) end) do end
x = setmetatable({}, {__index = function(t, k) dump("index", debug.getinfo(1, "nt")) end}).zz
do local c <close> = setmetatable({}, {__close = function() dump("close", debug.getinfo(1, "nt")) end}) end
setmetatable({}, {__gc = function() dump("gc", debug.getinfo(1, "nt")) end})
collectgarbage()
load(function() dump("reader", debug.getinfo(1, "nt")) end)
xpcall(error, function() dump("handler", debug.getinfo(1, "nt")) end)

-- locals
local function locals(level, co)
  local i, out = 1, {}
  while true do
    local n, v
    if co then n, v = debug.getlocal(co, level, i) else n, v = debug.getlocal(level + 1, i) end
    if not n then break end
    out[#out + 1] = n .. "=" .. clean(v)
    i = i + 1
  end
  local j = -1
  while true do
    local n, v
    if co then n, v = debug.getlocal(co, level, j) else n, v = debug.getlocal(level + 1, j) end
    if not n then break end
    out[#out + 1] = j .. ":" .. n .. "=" .. clean(v)
    j = j - 1
  end
  print("locals", (table.concat(out, " "):gsub("function: %w+: %w+", "function"):gsub("function: builtin[%S]*", "function")))
end
local function f1(a, b, ...)
  local c = 3
  do local d = 4 end
  local e <const> = 5
  local k <const> = {}
  k[1] = 1
  for i = 1, 1 do locals(1) end
  for i, v in ipairs {7} do locals(1) end
  local function inner() return c, a end
  local s = "x" .. #tostring(locals(1) or "")
  return locals(1) or 1
end
f1(1, 2, "va", "vb") f1()
local function captured(p, ...)
  local q = p
  local get = function() return p, q end
  print(debug.setlocal(1, 1, "new p"), debug.setlocal(1, 2, "new q"), p, q, get())
  print(debug.setlocal(1, -1, "new va"), ..., debug.setlocal(1, -5, 1), debug.setlocal(1, 100, 1))
  locals(1)
end
captured("p", "va")
print(pcall(debug.getlocal, 100, 1)) print(pcall(debug.setlocal, 100, 1, 1)) print(debug.getlocal(1, 0), debug.getlocal(1, -1000)) print(pcall(debug.getlocal, {}, 1)) print(pcall(debug.getlocal))
for i = 1, 4 do print(debug.getlocal(plain, i)) end
print(debug.getlocal(print, 1), debug.getlocal(plain, -1), debug.getlocal(stripped, 1))
local co = coroutine.create(function(a, ...) local b = coroutine.yield(a) local c = {} error("x") end)
print(pcall(debug.getlocal, co, 0, 1))
coroutine.resume(co, 1, 2, 3)
locals(1, co) dump("co", debug.getinfo(co, 1)) dump("co", debug.getinfo(co, 0, "nSl")) print(debug.getinfo(co, 2), pcall(debug.getlocal, co, 3, 1))
print(debug.setlocal(co, 1, 1, "set"), debug.getlocal(co, 1, 1))
coroutine.resume(co)
locals(1, co) dump("dead", debug.getinfo(co, 1, "Sl"))
local fin = coroutine.create(function() end) coroutine.resume(fin)
print(debug.getinfo(fin, 0), debug.traceback(fin))
local cs = coroutine.create(function(...) local t = {n = 1} for k, v in next, t do coroutine.yield() end end)
coroutine.resume(cs, 9)
locals(1, cs)
-- the hidden variables of a for over pairs can be read and replaced
local function walk(what)
  local t, out = {}, {}
  for i = 1, 5 do t["k" .. i] = i end
  local other = {a = 1, b = 2}
  local n = 0
  for k, v in pairs(t) do
    n = n + 1
    out[#out + 1] = type(k) .. type(v)
    if n == 2 then
      local i = 1
      while debug.getlocal(1, i) ~= "(for state)" do i = i + 1 end
      local _, f = debug.getlocal(1, i)
      local _, s = debug.getlocal(1, i + 1)
      local _, c = debug.getlocal(1, i + 2)
      out[#out + 1] = tostring(f == next) .. tostring(s == t) .. tostring(c == k)
      if what == "function" then
        debug.setlocal(1, i, function(st, ct) out[#out + 1] = tostring(st == t) .. tostring(ct == k) end)
      elseif what == "table" then
        debug.setlocal(1, i + 1, other)
        debug.setlocal(1, i + 2, nil)
      elseif what == "control" then
        debug.setlocal(1, i + 2, next(t))
      elseif what == "closing" then
        out[#out + 1] = tostring(debug.getlocal(1, i + 3)) .. tostring(debug.setlocal(1, i + 3, nil))
      end
    end
    if n > 20 then break end
  end
  print(what, n, table.concat(out, " "))
end
walk("none") walk("function") walk("table") walk("control") walk("closing")

-- upvalues
local u1, u2, u3 = 1, "two", nil
local function ups() u3 = u1 return u2 end
local function ups2() return u1, ups end
for i = 0, 5 do print(i, debug.getupvalue(ups, i)) end
print(debug.getupvalue(print, 1), debug.getupvalue(string.gmatch("a", "a"), 1), (debug.getupvalue(load("return x"), 1)), pcall(debug.getupvalue, ups))
print(debug.setupvalue(ups, 1, "set"), debug.setupvalue(ups, 5, 1), u3, u1, pcall(debug.setupvalue, ups, 1))
print(debug.upvalueid(ups, 2) == debug.upvalueid(ups2, 1), debug.upvalueid(ups, 1) == debug.upvalueid(ups, 2), debug.upvalueid(ups, 5), debug.upvalueid(print, 1), pcall(debug.upvalueid, ups))
debug.upvaluejoin(ups, 3, ups2, 2)
print(ups() == ups, pcall(debug.upvaluejoin, ups, 9, ups2, 1)) print(pcall(debug.upvaluejoin, ups, 1, ups2, 9)) print(pcall(debug.upvaluejoin, print, 1, ups, 1)) print(pcall(debug.upvaluejoin, ups, 1, print, 1))
for i = 1, 3 do local n, v = debug.getupvalue(stripped, i) print(n, clean(v)) end

-- metatables, registry, user values
print(debug.getmetatable("x") == getmetatable("x"), debug.setmetatable(5, {__index = {a = 1}}) == 5, (5).a, debug.setmetatable(5, nil), pcall(debug.setmetatable, 5, 5))
print(type(debug.getregistry()), debug.getuservalue(io.stdout), debug.getuservalue(5), pcall(debug.setuservalue, 5, 1))
print(debug.setuservalue(io.stdout, 1, 5), pcall(debug.setuservalue, io.stdout))

-- hooks
local events
local function hook(ev, line)
  local i = debug.getinfo(2, "nSltr")
  if i.short_src == "[C]" or i.short_src == "=h" or i.short_src == "h" then
    events[#events + 1] = ev .. (line and (":" .. line) or "") .. "(" .. tostring(i.name) .. "," .. i.what .. "," .. tostring(i.istailcall) .. "," .. (i.what == "C" and "" or i.ftransfer) .. "," .. i.ntransfer .. ")"
  end
end
local function trace(mask, count, src, ...)
  events = {}
  local f = assert(load(src, "=h"))
  debug.sethook(hook, mask, count)
  pcall(f, ...)
  debug.sethook()
  print(mask, count, table.concat(events, " "))
end
for _, mask in ipairs {"c", "r", "cr", "l", "crl"} do
  trace(mask, 0, "local function f(a) return a end\nlocal x = f(1)\nreturn f(2)")
  trace(mask, 0, "local t = setmetatable({}, {__index = function(t, k) return k end, __add = function() return 1, 2 end})\nlocal x = t.y\nx = t + 1")
  trace(mask, 0, "local x = math.max(1, 2)\nreturn math.min(1, 2, 3)")
  trace(mask, 0, "local function va(...) return ... end\nlocal x, y = va(1, 2, 3)\nva()")
  trace(mask, 0, "for i in function(s, c) if not c then return 1 end end do local x = i end")
  trace(mask, 0, "local co = coroutine.wrap(function(a) coroutine.yield(a) return 1 end)\nco(1)\nco()")
  trace(mask, 0, "pcall(error, 'x')\nlocal x = pcall(function() error('y') end)")
  trace(mask, 0, "do local c <close> = setmetatable({}, {__close = function() end}) end")
  trace(mask, 0, "local function loop(n) if n > 0 then return loop(n - 1) end end\nloop(3)")
  trace(mask, 0, "table.sort({2, 1}, function(a, b) return a < b end)")
end
for _, n in ipairs {1, 2, 3, 7, 100} do
  local c = 0
  local f = load("for i = 1, 1000 do local x = i + 1 end")
  debug.sethook(function(ev, l) c = c + 1 assert(ev == "count" and l == nil) end, "", n)
  f()
  debug.sethook()
  print("count", n, c > 1000 / n and c < 12000 / n)
end
print(debug.gethook())
debug.sethook(print, "crl", 5) local h, m, c = debug.gethook() debug.sethook() print(h == print, m, c)
debug.sethook(print, "", 0) print(debug.gethook()) debug.sethook(nil, "crl", 1) print(debug.gethook())
print(pcall(debug.sethook, 1)) print(pcall(debug.sethook, print)) print(pcall(debug.sethook, print, "l", "x"))
-- a hook of another coroutine, one that raises, one that is set inside
local log = {}
local hc = coroutine.create(function(n) for i = 1, n do coroutine.yield(i) end end)
debug.sethook(hc, function(ev, l) log[#log + 1] = l end, "l")
coroutine.resume(hc, 2) coroutine.resume(hc) coroutine.resume(hc)
print(#log > 0, debug.gethook(hc) ~= nil, debug.gethook() == nil)
print(pcall(function() debug.sethook(function() debug.sethook() error("in hook") end, "l")
  local x = 1 end))
debug.sethook()
print(pcall(function() debug.sethook(function() debug.sethook() error("in count hook", 0) end, "", 10) while true do end end))
local seen = 0
debug.sethook(function() seen = seen + 1 local x = 1; x = x + 1 end, "l")
local y = 1
y = 2
debug.sethook()
print("hooks are off inside hooks", seen)
local hl = {}
debug.sethook(function(ev) local n, v = debug.getlocal(2, 1) hl[#hl + 1] = tostring(n) end, "c")
math.max(5, 6) plain(1, 2)
debug.sethook()
print(table.concat(hl, " "))
hl = {}
debug.sethook(function(ev)
  local i = debug.getinfo(2, "r")
  for k = i.ftransfer, i.ftransfer + i.ntransfer - 1 do hl[#hl + 1] = tostring(select(2, debug.getlocal(2, k))) end
  hl[#hl + 1] = "|"
end, "cr")
math.max(5, 6) select(2, "a", "b", "c")
local function three(a, b) return a, b, 3 end
three(1, 2)
debug.sethook()
print((table.concat(hl, " "):gsub("function: %S+", "function"):gsub("table: %S+", "table")))
end)()
collectgarbage()
