-- programs.lua: random Lua programs that end, are the same for the same seed under any Lua, and print what they compute,
-- error messages included. `require "programs"(rng)` returns the text of one. See batch.lua.
--
-- Shape: helper functions, then functions whose bodies are random statements over a pool of typed locals, then calls of
-- them through pcall. Loops have constant bounds and a global budget of steps; recursion has a depth argument.
return function(rng)
local rnd, pick, chance = rng.rnd, rng.pick, rng.chance

local lines, indent = {}, 0
local function emit(s, ...) lines[#lines + 1] = ("  "):rep(indent) .. (select("#", ...) > 0 and s:format(...) or s) end

local ints = {"0", "1", "2", "3", "7", "-1", "-2", "10", "255", "65536", "1000003", "math.maxinteger", "math.mininteger", "0x7fffffff", "-17"}
local floats = {"0.5", "1.5", "-2.25", "0.0", "1e10", "3.0", "-0.0", "1e300", "2^53", "0.1", "1/3", "math.huge"}
local strs = {"''", "'a'", "'abc'", "'hello world'", "'10'", "'0x1F'", "'3.5'", "'x,y,z'", "'%d'", "('ab'):rep(5)", "'\\0z'", "'Lua 5.4'"}

-- What a call that is part of an expression does to variables of the caller is another matter of order: `a + f()` where f
-- assigns to a. So functions that expressions may call assign to variables of their own only: those of their level.
local level = 0
-- scopes: list of {name, kind, const, level}; kind: n (number), s (string), t (table), f (function of 2 arguments), a (anything)
local scope = {}
local names = 0
local function fresh(p) names = names + 1; return p .. names end
local function declare(kind, const) local n = fresh(kind); scope[#scope + 1] = {n, kind, const, level}; return n end
local function var(kind, writable)
  local c = {}
  for i = math.max(1, #scope - 40), #scope do
    local v = scope[i]
    if (v[2] == kind or kind == "a") and not (writable and (v[3] or v[4] ~= level)) then c[#c + 1] = v[1] end
  end
  return #c > 0 and pick(c) or nil
end

local expr
local function num(d)
  local r = rnd(d <= 0 and 4 or 20)
  if r <= 2 then return var("n") or pick(ints) end
  if r == 3 then return pick(ints) end
  if r == 4 then return pick(floats) end
  if r <= 9 then return ("(%s %s %s)"):format(num(d - 1), pick {"+", "-", "*", "/"}, num(d - 1)) end
  -- a division by zero is avoided: lua5.4.4 reports a wrong line for it (fixed in 5.4.5)
  if r == 10 then return ("(%s %s nz(%s))"):format(num(d - 1), pick {"//", "%"}, num(d - 1)) end
  if r == 11 then return ("(%s %s %s)"):format(num(d - 1), pick {"&", "|", "~", "<<", ">>"}, num(d - 1)) end
  if r == 12 then return ("#%s"):format(expr("s", d - 1)) end
  if r == 13 then return ("-(%s)"):format(num(d - 1)) end
  if r == 14 then return ("math.floor(%s)"):format(num(d - 1)) end
  if r == 15 then return ("(tonumber(%s) or %s)"):format(expr("s", d - 1), pick(ints)) end
  if r == 16 then return ("math.max(%s, %s)"):format(num(d - 1), num(d - 1)) end
  if r == 17 then return ("select('#', %s, %s)"):format(expr("a", d - 1), expr("a", d - 1)) end
  if r == 18 then return ("(%s and %s or %s)"):format(expr("b", d - 1), num(d - 1), num(d - 1)) end
  if r == 19 then return ("#%s"):format(var("t") or "{1, 2}") end
  return ("(%s ^ 2)"):format(num(d - 1))
end
local function str(d)
  local r = rnd(d <= 0 and 3 or 13)
  if r <= 2 then return var("s") or pick(strs) end
  if r == 3 then return pick(strs) end
  if r <= 6 then return ("(%s .. %s)"):format(chance(30) and "N(" .. num(d - 1) .. ")" or str(d - 1), str(d - 1)) end
  if r == 7 then return ("(%s):sub(%d, %d)"):format(str(d - 1), rnd(7) - 4, rnd(9) - 3) end
  if r == 8 then return ("tostring(%s)"):format(chance(50) and "N(" .. num(d - 1) .. ")" or expr(pick {"b", "s"}, d - 1)) end
  if r == 9 then return ("(%s):upper()"):format(str(d - 1)) end
  if r == 10 then return ("(%s):rep(%d)"):format(str(d - 1), rnd(3) - 1) end
  if r == 11 then return ("((%s):gsub(%s, %s))"):format(str(d - 1), pick {"'%w'", "'a'", "'%d+'", "'.'", "''"}, pick {"'%0%0'", "'-'", "{a = 'A', b = false}", "string.upper"}) end
  if r == 12 then return ("short(%s)"):format(str(d - 1)) end
  return ("fmt(%s)"):format(expr("a", d - 1))
end
local function bool(d)
  local r = rnd(d <= 0 and 2 or 9)
  if r == 1 then return "true" end
  if r == 2 then return "false" end
  if r <= 4 then return ("(%s %s %s)"):format(num(d - 1), pick {"<", "<=", ">", ">=", "==", "~="}, num(d - 1)) end
  if r == 5 then return ("(%s %s %s)"):format(str(d - 1), pick {"<", "<=", ">", ">=", "==", "~="}, str(d - 1)) end
  if r == 6 then return ("not %s"):format(expr(pick {"b", "a"}, d - 1)) end
  if r == 7 then return ("(%s %s %s)"):format(bool(d - 1), pick {"and", "or"}, bool(d - 1)) end
  if r == 8 then return ("(%s == %s)"):format(expr("a", d - 1), expr("a", d - 1)) end
  return ("(%s ~= nil)"):format(expr("a", d - 1))
end
local function tab(d)
  local r = rnd(6)
  if r == 1 and var("t") then return var("t") end
  if r == 2 then return ("new(%s)"):format(num(d - 1)) end
  local items = {}
  for i = 1, rnd(5) - 1 do
    local k = rnd(5)
    if k <= 2 then items[i] = ("nn(%s)"):format(expr("a", d - 1)) -- no holes: the border would be any
    elseif k == 3 then items[i] = ("%s = %s"):format(pick {"x", "y", "z"}, expr("a", d - 1))
    elseif k == 4 then items[i] = ("[%s] = %s"):format(pick {"true", "-1", "0.5", "1e9", "0"}, expr("a", d - 1))
    else items[i] = ("['k' .. %d] = %s"):format(rnd(4), expr("a", d - 1)) end
  end
  if chance(15) then items[#items + 1] = ("many(%d)"):format(rnd(5) - 1) end
  return "{" .. table.concat(items, ", ") .. "}"
end
local function fn(d)
  if chance(40) and var("f") then return var("f") end
  local a, b = fresh("p"), fresh("p")
  local saved = #scope
  scope[#scope + 1], scope[#scope + 2] = {a, "n"}, {b, "n"}
  local body = expr(pick {"n", "s", "a"}, d - 1)
  while #scope > saved do scope[#scope] = nil end
  return ("function(%s, %s) return %s end"):format(a, b, body)
end
-- any expression; sometimes a wrong one that raises
local function any(d)
  local r = rnd(12)
  if r <= 3 then return num(d) elseif r <= 5 then return str(d) elseif r == 6 then return bool(d) elseif r == 7 then return "nil"
  elseif r == 8 then return tab(d) elseif r == 9 then return var("a") or "nil"
  elseif r == 10 then return ("%s.%s"):format(var("t") or "G", pick {"x", "y", "k1"})
  elseif r == 11 then return ("%s[%s]"):format(var("t") or "G", rnd(4))
  else return ("(%s)(%s, %s)"):format(var("f") or "many", num(d - 1), num(d - 1)) end
end
local kinds = {n = num, s = str, b = bool, t = tab, f = fn, a = any}
function expr(kind, d) return kinds[kind](d) end

local block
local function withscope(f) local saved = #scope; indent = indent + 1; f(); indent = indent - 1; while #scope > saved do scope[#scope] = nil end end
local function wrong() -- statements that raise an error with a name in it
  local v = var("a") or "G"
  return pick {
    ("local e = %s + {}"):format(v), ("local e = %s.q.r"):format(v), ("%s()"):format(v), ("local e = %s < {}"):format(v), ("local e = %s .. {}"):format(v),
    ("G.nothing.x = %s"):format(v), ("local e = #%s + #nil"):format(var("t") or "G"), ("undefinedfunction(%s)"):format(v), ("G:nomethod(%s)"):format(v),
    ("error(%s)"):format(str(1)), ("error(%s, %d)"):format(str(1), rnd(3) - 1), ("error({code = %d})"):format(rnd(9)), ("assert(%s)"):format(bool(1)), ("assert(nil, %s)"):format(str(1)),
    ("local e = ('x'):rep(%s)"):format(tab(1)), ("local e = math.floor(%s)"):format(str(0)), ("G[nil] = 1"), ("local e = %s & 1.5"):format(v), ("for i = 1, %s do end"):format(tab(1)),
    ("setmetatable(1, {})"), ("string.char(%s)"):format(num(1)), ("table.concat({1, {}, 2})"), ("local e = -%s"):format(tab(1)), ("for k in pairs(nil) do end"),
  }
end
local function statement(d)
  local r = rnd(d <= 0 and 12 or 30)
  if r <= 3 then
    local k = pick {"n", "n", "s", "t", "a", "f"}
    local e = expr(k, 2)
    emit(k == "s" and "local %s = short(%s)" or "local %s = %s", declare(k), e)
  elseif r <= 6 then
    local k = pick {"n", "s", "t"}
    local v = var(k, true)
    if v then emit(k == "s" and "%s = short(%s)" or "%s = %s", v, expr(k, 2)) else emit("step()") end
  elseif r == 7 then
    local t = var("t")
    if t then local k = pick {"1", "#" .. t .. " + 1", "1.0", "'x'", "'k1'", "true"}
      emit(k:find("^[1#]") and "%s[%s] = nn(%s)" or "%s[%s] = %s", t, k, expr("a", 2)) end
  elseif r == 8 then
    emit("out(%s)", expr("a", 3))
  elseif r == 9 then
    emit("out(%s, %s)", expr("n", 2), expr("s", 2))
  elseif r == 10 then
    local a, b = var("n", true), var("n", true)
    if a and b and a ~= b then emit("%s, %s = %s, %s", a, b, b, num(1)) end
  elseif r == 11 and chance(40) then
    emit("do %s end", wrong())
  elseif r == 12 then
    local t = var("t")
    if t then emit("for k, v in ipairs(%s) do out(k, v) end", t) end
  elseif r <= 14 then
    emit("if %s then", bool(2))
    withscope(function() block(d - 1) end)
    if chance(40) then emit("elseif %s then", bool(2)); withscope(function() block(d - 1) end) end
    if chance(60) then emit("else"); withscope(function() block(d - 1) end) end
    emit("end")
  elseif r <= 16 then
    local v = fresh("i")
    emit("for %s = %s, %s%s do", v, pick {"1", "0", "3", "-2", "1.0", "0.5"}, pick {"3", "5", "4.5", "2", "0"}, pick {"", "", ", 1", ", 2", ", 0.5", ", -1"})
    withscope(function()
      scope[#scope + 1] = {v, "n", true}
      emit("step()")
      block(d - 1)
      if chance(30) then emit("if %s then break end", bool(2)) end
      if chance(30) then
        local f = fresh("fs")
        emit("local %s = function() %s; return %s end", f, var("n", true) and ("%s = 1"):format(var("n", true)) or "step()", v)
        emit("out(%s())", f)
      end
    end)
    emit("end")
  elseif r == 17 then
    local c = fresh("w")
    emit("local %s = 0", c)
    emit("while %s < %d do", c, rnd(4))
    withscope(function() emit("%s = %s + 1 step()", c, c); block(d - 1); if chance(20) then emit("if %s then break end", bool(1)) end end)
    emit("end")
  elseif r == 18 then
    local c = fresh("w")
    emit("local %s = 0", c)
    emit("repeat")
    withscope(function() emit("local u = %s + 1 %s = u step()", c, c); block(d - 1) end)
    emit("until %s >= %d or %s", c, rnd(4), bool(1))
  elseif r == 19 then
    emit("do")
    withscope(function()
      local l, c = fresh("L"), fresh("w")
      emit("local %s = 0", c)
      emit("::%s::", l)
      emit("%s = %s + 1 step()", c, c)
      emit("do")
      withscope(function() block(d - 1) end)
      emit("end")
      emit("if %s < %d then goto %s end", c, rnd(3), l)
    end)
    emit("end")
  elseif r <= 21 then
    emit("out(pcall(function(...)")
    withscope(function()
      block(d - 1)
      if chance(40) then emit("do %s end", wrong()) end
      emit("return %s, select('#', ...)", expr("a", 2))
    end)
    emit("end, %s))", expr("a", 1))
  elseif r == 22 then
    local f = fresh("f")
    emit("local function %s(a, b, ...)", f)
    level = level + 1
    withscope(function()
      scope[#scope + 1], scope[#scope + 2] = {"a", "n", true}, {"b", "n", true}
      emit("step()")
      block(d - 1)
      emit("return %s, ...", expr("a", 2))
    end)
    level = level - 1
    emit("end")
    scope[#scope + 1] = {f, "f", true}
    emit("out(%s(%s, %s, %s))", f, num(1), num(1), expr("a", 1))
  elseif r == 23 then
    emit("local %s = coroutine.wrap(function(a)", fresh("co"))
    local co = "co" .. names
    withscope(function()
      block(d - 1)
      emit("local got = coroutine.yield(%s, a)", expr("a", 1))
      emit("out('got', got)")
      block(d - 2)
      if chance(30) then emit("do %s end", wrong()) end
      emit("return %s", expr("a", 1))
    end)
    emit("end)")
    emit("out(pcall(%s, %s)) out(pcall(%s, %s)) out(pcall(%s))", co, expr("n", 1), co, expr("s", 1), co)
  elseif r == 24 then
    local o = declare("a")
    emit("local %s = setmetatable({v = %s}, MT)", o, num(1))
    emit("out(%s %s %s)", pick {o, num(1)}, pick {"+", "-", "*", "..", "//", "<<", "%"}, o)
    emit("out(%s.%s, #%s, -%s, %s == %s, %s < %s, %s <= %s, %s(%s))", o, pick {"v", "none", "q"}, o, o, o, o, o, o, o, o, o, num(1))
    emit("%s.w = %s out(rawget(%s, 'w'))", o, expr("n", 1), o)
  elseif r == 25 then
    emit("do")
    withscope(function()
      emit("local c <close> = closer(%s)", str(1))
      emit("local k <const> = %s", pick(ints))
      scope[#scope + 1] = {"k", "n", true}
      block(d - 1)
    end)
    emit("end")
  elseif r == 26 then
    local t = var("t")
    if t then emit("sortout(%s)", t) emit("table.insert(%s, %s) out(#%s, table.remove(%s, 1))", t, expr("n", 1), t, t) end
  elseif r == 27 then
    emit("for w, p in (%s):gmatch('(%%w+)()') do out(w, p) end", str(2))
  elseif r == 28 then
    emit("out(string.format(%s, %s))", pick {"'%5d|%-5d'", "'%q %s'", "'%g %g'", "'%x %o'", "'%s %s'", "'%5.2f %e'", "'%i %c'"}, "N(" .. num(1) .. "), " .. (chance(50) and "N(" .. num(1) .. ")" or str(1)))
  elseif r == 29 then
    emit("out(xpcall(function() %s end, function(m) return 'H ' .. fmt(m) end))", wrong())
  else
    emit("out(load(%s)())", ("%q"):format("return " .. pick {"1 + 1", "#'abc'", "...", "2^10", "{} == {}", "'a' .. 1", "nil"}))
  end
end
function block(d) for _ = 1, rnd(4) do statement(d) end end

local prelude = [=[
local steps = 0
local function step() steps = steps + 1; if steps > 3000 then error("budget", 0) end end
local function fmt(v)
  local t = type(v)
  if t == "number" then
    if v ~= v then return "nan" end
    return math.type(v):sub(1, 1) .. tostring(v)
  elseif t == "string" then
    v = v:gsub("0x%x%x%x%x+", "ADDR")
    return #v <= 100 and ("%q"):format(v) or #v .. ":" .. ("%q"):format(v:sub(1, 60))
  elseif t == "table" then
    local a = {}
    for i = 1, math.min(#v, 5) do a[i] = type(v[i]) == "table" and "T" or fmt(v[i]) end
    for _, k in ipairs {"code", "x", "y", "z", "k1"} do
      local e = rawget(v, k)
      if e ~= nil then a[#a + 1] = k .. "=" .. (type(e) == "table" and "T" or fmt(e)) end
    end
    return "{" .. table.concat(a, " ") .. "}"
  elseif t == "boolean" or t == "nil" then return tostring(v) end
  return t
end
local function out(...)
  step()
  local a = {}
  for i = 1, select("#", ...) do a[i] = fmt((select(i, ...))) end
  print(table.concat(a, "\t"))
end
local function short(s) return #s > 200 and s:sub(1, 200) or s end
local function nn(v) if v == nil then return false end return v end
-- numbers that become strings: the sign of a NaN is the machine's affair
local function N(n) if n ~= n then return 0 end return n end
local function nz(n) return n == 0 and 7 or n end
local function many(n, ...)
  n = math.type(n) == "integer" and n > 0 and n < 10 and n or 0
  if n == 0 then return ... end
  return many(n - 1, n, ...)
end
local MT = {}
for _, n in ipairs {"add", "sub", "mul", "idiv", "mod", "shl", "concat"} do
  MT["__" .. n] = function(a, b) return n .. fmt(type(a) == "table" and a.v or a) .. fmt(type(b) == "table" and b.v or b) end
end
MT.__unm = function(a) return -a.v end
MT.__len = function(a) return a.v end
MT.__lt = function(a, b) return a.v < b.v end
MT.__le = function(a, b) return a.v <= b.v end
MT.__index = function(t, k) return k .. "!" end
MT.__newindex = function(t, k, v) rawset(t, k, fmt(v)) end
MT.__call = function(self, x) return "called", x end
local function new(v) return {v, x = v} end
local function closer(s) return setmetatable({}, {__close = function(_, e) out("close", s, e) end}) end
local function sortout(t)
  local c = {}
  for i = 1, #t do if type(t[i]) == "number" and t[i] == t[i] then c[#c + 1] = t[i] end end
  table.sort(c)
  out(c)
end
local G = {x = 1, y = "two"}
-- ---- end of prelude
]=]
for i = 1, 3 + rnd(3) do
  scope = {}
  emit("local function main%d(...)", i)
  withscope(function()
    for _ = 1, 3 do statement(0) end
    for _ = 1, 5 + rnd(5) do statement(3) end
    emit("return %s", any(1))
  end)
  emit("end")
  emit("out('main%d', pcall(main%d, %d, 'arg'))", i, i, i)
end
return prelude .. table.concat(lines, "\n") .. "\n"
end
