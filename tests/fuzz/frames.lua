-- frames.lua: `require "frames"(rng)` returns a program of functions that call one another in all ways there are (by every kind of
-- name, in tail position, as metamethods, iterators, callbacks of C functions, in coroutines, through pcall and __close), spread over
-- lines, and which on their way look at the stack: debug.getinfo and named locals of all levels, tracebacks, errors with and without
-- level, errors that name an operand, hooks for calls, returns and lines. See batch.lua.
--
-- Left out: numbers and values of temporaries, which are a matter of the code generator; count hooks likewise; how many upvalues a
-- function of the library has; and a return hook in a metamethod of a concatenation of three, where lua5.4 crashes.

local prelude = [=[
local traceback, getinfo, getlocal, sethook = debug.traceback, debug.getinfo, debug.getlocal, debug.sethook
local function show(v)
  local t = type(v)
  if t == "string" then return ("%q"):format(v) end
  if t == "table" or t == "function" or t == "thread" or t == "userdata" then return t end
  return tostring(v)
end
local function line(...)
  local a = table.pack(...)
  for i = 1, a.n do a[i] = type(a[i]) == "string" and a[i] or show(a[i]) end
  print(table.concat(a, " "))
end
local function describe(i)
  return table.concat({show(i.name), i.namewhat, i.what, i.short_src, i.currentline, i.linedefined, i.lastlinedefined, i.what == "C" and "" or i.nups, i.nparams, show(i.isvararg), show(i.istailcall)}, " ")
end
local function locals(level)
  local out, n = {}, 1
  while true do
    local name, v = getlocal(level + 1, n)
    if not name then break end
    if name:sub(1, 1) ~= "(" then out[#out + 1] = name .. "=" .. show(v) end
    n = n + 1
  end
  n = -1
  while true do
    local name, v = getlocal(level + 1, n)
    if not name then break end
    out[#out + 1] = n .. ":" .. name .. "=" .. show(v)
    n = n - 1
  end
  return table.concat(out, " ")
end
local shots, watched = 0, false
local function snap()
  shots = shots + 1
  if watched or shots > 12 then return end -- the hook would see how many temporaries there are
  for level = 1, 40 do
    local i = getinfo(level, "nSlut")
    if not i or i.what == "main" then break end
    print(level, describe(i), i.what ~= "C" and locals(level) or "")
  end
end
local function hooked(mask, f, ...)
  local log = {}
  local function note(event, l)
    if #log > 300 then sethook() return end
    local i = getinfo(2, event == "line" and "nSltf" or "nSltrf")
    if i.func == sethook then return end
    local s = event .. " " .. tostring(l) .. " " .. describe(getinfo(2, "nSlut"))
    if event ~= "line" then
      s = s .. " " .. i.ntransfer
      for k = i.ftransfer, i.ftransfer + i.ntransfer - 1 do s = s .. " " .. show(select(2, getlocal(2, k))) end
    end
    log[#log + 1] = s
  end
  watched = true
  sethook(note, mask)
  local r = table.pack(pcall(f, ...))
  sethook()
  watched = false
  line(table.unpack(r, 1, r.n))
  print(table.concat(log, "\n"))
end
local F, G, u, k = {}, {x = 1}, nil, "key"
-- ---- end of prelude
]=]

return function(rng)
local rnd, pick, chance = rng.rnd, rng.pick, rng.chance
local out = {}
local function emit(s, ...) out[#out + 1] = select("#", ...) > 0 and s:format(...) or s end

-- How function d is defined, by what names it is called, and as what value it is passed.
local styles = {
  {"local function f%d(%s)", "f%d(%s)", "f%d"},
  {"function g%d(%s)", "g%d(%s)", "g%d"},
  {"function F.f%d(%s)", "F.f%d(%s)", "F.f%d"},
  {"function F:m%d(%s)", "F:m%d(%s)", "F.m%d"},
  {"F[%d] = function(%s)", "F[%d](%s)", "F[%d]"},
}
local params = {"a, b, ...", "a, b", "...", "a", "", "a, b, c"}
local args = {"", "1", "1, 2", "1, 'two', 3", "...", "{}, nil, 'x'", "nil"}

local function values(vararg) local a = pick(args) return a == "..." and not vararg and "7" or a end

local function event() -- what a function does besides calling the next
  local r = rnd(16)
  if r <= 3 then emit("  snap()")
  elseif r <= 5 then emit("  print(traceback('tb'%s))", pick {"", ", 1", ", 2", ", 0", ", 50"})
  elseif r == 6 then emit("  error('msg'%s)", pick {"", ", 0", ", 1", ", 2", ", 3", ", 9"})
  elseif r <= 8 then
    emit("  local x, y = nil, %s", pick {"{}", "1", "'s'", "true"})
    emit("  local z = %s", pick {"x.f", "x + y", "y .. x", "x()", "y.a.b", "G.x.y.z", "u.f", "u()", "G.nothing()", "G:none()", "x < y", "y < {}", "-x", "#x", "~y", "y & 1.5", "x[y]", "k.a.b",
      "G[k].q", "2^53 | 1.5", "('a').b.c", "1 < 'x'", "{} .. 'x'", "nothing.at.all", "nothing()", "string.rep()", "('x'):rep({})", "math.floor('a')", "setmetatable(1)", "y.x.z", "G[x]", "x == 1 and y.c.d or x.e",
      "k + G", "k .. G", "10 // x", "x // 0", "1 << y", "y % x", "(x or u).w", "select(0)", "ipairs(x)", "tostring()", "string.char(-1)", "('%d'):format(1.5)", "table.concat({{}})", "#G.x", "-G.x.y", "G.x()"})
    emit("  y = z")
  elseif r == 9 then emit("  for i = %s do\n    y = i\n  end", pick {"1, 2", "1, x", "'a', 2", "1, 2, 0", "1, {}", "1.5, 2", "2, 1"})
  elseif r == 10 then emit("  for i, v in %s do\n    snap()\n  end", pick {"ipairs {5}", "next, {x = 1}", "pairs {y = 2}", "nil", "u", "G", "5"})
  elseif r == 11 then emit("  do\n    local c <close> = %s\n  end", pick {"nil", "false", "setmetatable({}, {__close = function() snap() end})", "1", "{}", "setmetatable({}, {__close = function(_, e) error('in close', 0) end})"})
  elseif r == 12 then emit("  G.%s = %s", pick {"x", "y", "z.w", "x.y"}, pick {"1", "nil", "{}"})
  elseif r == 13 then emit("  local q = {\n    1, 2,\n    x = %s,\n    ['y'] = 3\n  }", pick {"1", "G.x", "u.z", "#k"})
  elseif r == 14 then emit("  local w <const> = 5\n  local e = function()\n    return w, k, u\n  end\n  e()")
  elseif r == 15 then emit("  while u do\n    u = nil\n  end\n  repeat\n    local n = 1\n  until n == 1")
  else emit("  local l1, l2, l3 = 1\n  if l1 then\n    l2 = l1\n  elseif l3 then\n    l3 = 5\n  else\n    l3 = 6\n  end") end
end

local metaevents = {
  {"add", "o + 1"}, {"sub", "1 - o"}, {"mul", "o * o"}, {"div", "o / 2"}, {"mod", "o %% 2"}, {"pow", "2 ^ o"}, {"unm", "-o"}, {"idiv", "o // 1"}, {"band", "o & 1"}, {"bor", "1 | o"}, {"bxor", "o ~ o"},
  {"shl", "o << 1"}, {"shr", "1 >> o"}, {"bnot", "~o"}, {"concat", "'a' .. o"}, {"len", "#o"}, {"eq", "o == setmetatable({}, getmetatable(o))"}, {"lt", "o < o"}, {"le", "o <= 1"}, {"lt", "o > 1"},
  {"index", "o.field"}, {"index", "o[1]"}, {"call", "o(1, 2)"}, {"call", "G.x == o(3) and o(4)"}, {"tostring", "tostring(o)"}, {"pairs", "pairs(o)"}, {"newindex", "nil o.x = 1"},
}
-- Calls the function of style s and number d.
local function call(s, d, vararg)
  local v = values(vararg)
  local c, f = s[2]:format(d, v), s[3]:format(d)
  local pv = v ~= "" and ", " .. v or ""
  local r = rnd(26)
  if r <= 3 then emit("  local r = %s", c)
  elseif r <= 6 then emit("  do return %s end", c)
  elseif r == 7 then emit("  local r, s =\n    1,\n    %s", c)
  elseif r == 8 then emit("  %s", (c:gsub("^%(", ";(")))
  elseif r == 9 then emit("  print(pcall(%s%s))", f, pv)
  elseif r == 10 then emit("  print(xpcall(%s, %s%s))", f, pick {"traceback", "function(m) snap() return m end", "function(m)\n    return traceback('H ' .. tostring(m), 2)\n  end"}, pv)
  elseif r <= 13 then local e = pick(metaevents) emit("  local o = setmetatable({}, {__%s = %s})\n  local r =\n    %s", e[1], f, (e[2]:gsub("%%%%", "%%")))
  elseif r == 14 then emit("  for i, j in %s%s do\n    snap()\n    break\n  end", f, pv)
  elseif r == 15 then emit("  print(coroutine.wrap(%s)(%s))", f, v)
  elseif r == 16 then emit("  local co = coroutine.create(%s)\n  print(coroutine.resume(co%s))\n  print(traceback(co)) print(traceback(co, 'm', 1)) print(coroutine.close(co))", f, pv)
  elseif r == 17 then emit("  table.sort({1, 2}, %s)", f)
  elseif r == 18 then emit("  local r = ('x'):gsub(\n    'x', %s)", f)
  elseif r == 19 then emit("  load('local E = ... local r =\\nE(1)\\nreturn r', %s)(%s)", pick {"'=chunk'", "'@file.lua'", "'some code'", "'two\\nlines'"}, f)
  elseif r == 20 then emit("  do\n    local c <close> = setmetatable({}, {__close = %s})\n    u = nil\n  end", f)
  elseif r == 21 then emit("  local h = %s\n  if h(%s) then\n    u = nil\n  end", f, v)
  elseif r == 22 then emit("  local t = {\n    %s,\n    [1] = %s }", c, s[2]:format(d, "5"))
  elseif r == 23 then emit("  G[%s or 1] = 2", c)
  elseif r == 24 then emit("  local r = %s == nil\n    and k .. 'x'\n    or u", c)
  elseif r == 25 then emit("  local function inner(p)\n    local q = p\n    return p(%s)\n  end\n  inner(%s)", v == "..." and "1" or v, f)
  else emit("  local r = (%s) (%s)", f, v) end
end

local depth = 1 + rnd(5)
local defined = {}
for d = depth, 1, -1 do
  local s = pick(styles)
  local p = pick(params)
  local vararg = p:find("...", 1, true)
  emit(s[1], d, p)
  for _ = 1, rnd(2) - 1 do event() end
  if defined[d + 1] then call(defined[d + 1], d + 1, vararg) end
  for _ = 1, rnd(d == depth and 3 or 2) - (d == depth and 0 or 1) do event() end
  if chance(30) then emit("  do return %s end", pick {"1", "nil", "'s', 2", vararg and "..." or "k", "1, 2, 3"}) end
  emit("end")
  defined[d] = s
end
local first = defined[1]
emit("line(pcall(%s, 1, 'two', {}))", first[3]:format(1))
if chance(60) then emit("print(xpcall(%s, traceback, %s))", first[3]:format(1), pick {"1", "nil, 2, 3", "G"}) end
if chance(70) then emit("hooked('%s', %s, 1, 'two', 3)", pick {"c", "r", "l", "cr", "crl", "cl"}, first[3]:format(1)) end
-- (No line hook there: where a coroutine's __close function has caught an error, lua5.4 runs the closing instruction a second time.)
if chance(20) then emit("hooked('%s', coroutine.wrap(function() hooked('%s', %s, 5) end))", pick {"c", "r", "l"}, pick {"c", "r", "cr"}, first[3]:format(1)) end
return prelude .. table.concat(out, "\n") .. "\n"
end
