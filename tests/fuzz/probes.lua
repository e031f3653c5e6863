-- probes.lua: `require "probes"(rng)` returns a program of a dozen small probes, each of one feature of the language or the
-- library with random, mostly extreme operands; each prints its results or its error.
--
-- Left out: what the manual leaves open (the order of pairs, the border of a table with holes, order functions that are not
-- consistent), and what depends on the machine (addresses, the sign of NaN, memory).

local prelude = [=[
local function show(v, depth)
  local t = math.type(v) or type(v)
  if v ~= v then return "nan" end
  if t == "float" then return ("f%.17g"):format(v) end
  if t == "string" then return ("%q"):format((v:gsub("0x%x%x%x%x%x%x+", "ADDR"):gsub("%-nan", "nan"))) end
  if t == "table" and (depth or 0) < 3 and not getmetatable(v) then
    local keys, a = {}, {}
    for k in next, v do keys[#keys + 1] = {show(k, 3), k} end
    table.sort(keys, function(x, y) return x[1] < y[1] end)
    for i, k in ipairs(keys) do a[i] = k[1] .. "=" .. show(rawget(v, k[2]), (depth or 0) + 1) end
    return "{" .. table.concat(a, " ") .. "}"
  end
  if t == "integer" or t == "boolean" or t == "nil" then return tostring(v) end
  return t
end
local function line(...)
  local a = table.pack(...)
  for i = 1, a.n do a[i] = show(a[i]) end
  print(table.concat(a, " "))
end
local function P(f, ...) line(pcall(f, ...)) end
local log = {}
local function L(x, ...) log[#log + 1] = show(x); return x, ... end
local function flush() line(table.concat(log, ",")) log = {} end
local function cut(s) return #s > 300 and #s .. s:sub(1, 300) or s end
-- objects with metamethods that say how they were called
local function who(v) if type(v) == "table" then return rawget(v, "name") or "t" end return show(v) end
local function object(name, events)
  local mt = {}
  for e in events:gmatch("%a+") do
    mt["__" .. e] = function(a, b, ...) local s = e .. "(" .. who(a) .. "," .. who(b) .. ")"
      if e == "lt" or e == "le" or e == "eq" then log[#log + 1] = s return #name % 2 end
      if e == "len" then return #name end
      if e == "newindex" then log[#log + 1] = s return end
      if e == "tostring" then return "T" .. name end
      return s end
  end
  return setmetatable({name = name}, mt)
end
local O = object("o", "add sub mul div mod pow unm idiv band bor bxor shl shr bnot concat len eq lt le index newindex call tostring")
local Q = object("qq", "add concat lt eq shl close")
local R = object("r", "")
local function closer(n, e) return setmetatable({}, {__close = function(_, err) L("close " .. n) L(err) if e then error(e, 0) end end}) end
local traceback = debug.traceback
-- ---- end of prelude
]=]

return function(rng)
local rnd, pick, chance = rng.rnd, rng.pick, rng.chance

local ints = {"0", "1", "-1", "2", "3", "5", "7", "-3", "10", "31", "32", "63", "64", "65", "-64", "100", "127", "128", "255", "256", "-255", "-256", "1000", "65535", "65536", "0x7fffffff", "0x80000000",
  "0xffffffff", "(1 << 47)", "(1 << 47) - 1", "-(1 << 47)", "-(1 << 47) - 1", "(1 << 53)", "(1 << 53) + 1", "(1 << 53) - 1", "-(1 << 53) - 1", "math.maxinteger", "math.maxinteger - 1", "math.mininteger", "math.mininteger + 1",
  "0x5555555555555555", "9007199254740993", "1 << 62", "9223372036854775807", "0xffffffffffffffff"}
local floats = {"0.0", "-0.0", "0.5", "-0.5", "1.0", "1.5", "-1.5", "2.0", "2.5", "3.0", "-7.0", "0.1", "1/3", "1e15", "1e16", "123456789012345.0", "1e100", "-1e100", "1e308", "5e-324", "2^53", "2^53 + 2", "-2^53", "2^63", "-2^63",
  "2^63 - 1024", "2^64", "2^31", "2^47", "math.huge", "-math.huge", "0/0", "math.pi", "4503599627370496.5", "9007199254740992.0", "9223372036854775808.0", "1e-5", "100.0"}
local numstrs = {"'10'", "'0x10'", "'-3'", "' 7 '", "'1e1'", "'0.5'", "'5.0'", "'9223372036854775807'", "'9223372036854775808'", "'-9223372036854775808'", "'0x8000000000000000'", "'1e308'", "'\\t2\\n'", "'0x1p4'", "'-0'", "'-0.0'"}
local badstrs = {"''", "'abc'", "'0x'", "'1e'", "'nan'", "'inf'", "'1 2'", "'--1'", "'10a'", "'1\\0'", "' '", "'x'"}
local others = {"nil", "true", "false", "{}", "print", "O", "Q", "R", "function() end", "coroutine.create(print)"}
local function int() return chance(70) and pick(ints) or tostring(rnd(400) - 200) end
local function float() return pick(floats) end
local function num() return chance(50) and int() or float() end
local function str() return chance(50) and pick(numstrs) or pick(badstrs) end
local function any()
  local r = rnd(10)
  if r <= 3 then return int() elseif r <= 5 then return float() elseif r == 6 then return pick(numstrs) elseif r == 7 then return pick(badstrs) else return pick(others) end
end
local binops = {"+", "-", "*", "/", "//", "%", "^", "&", "|", "~", "<<", ">>", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or"}
local unops = {"-", "not ", "#", "~"}
local function some(f, least, most)
  local t = {}
  for i = 1, least + rnd(most - least + 1) - 1 do t[i] = f() end
  return t
end
local function list(f, least, most) return table.concat(some(f, least, most), ", ") end
local function word() local s = "" for _ = 1, rnd(6) - 1 do s = s .. pick {"a", "b", "c", "A", "1", "2", " ", ".", "-", "x", "%", "_", "\\n", "\\0", "\\255", "]", "^", "$", "("} end return s end
local function quoted() return "'" .. word() .. "'" end

local out
local function add(s, ...) out[#out + 1] = select("#", ...) > 0 and s:format(...) or s end
local K = {} -- the kinds of probes

-- an operator between operands that come as locals, constants, fields or upvalues: all have instructions of their own
local function operand(v)
  local r = rnd(6)
  if r == 1 then return "", "(" .. v .. ")" end
  local n = pick {"a", "b", "c", "d", "e"} .. rnd(99)
  if r == 2 then return ("local %s <const> = %s "):format(n, v), n end
  if r == 3 then return ("local %s = {x = %s} "):format(n, v), n .. ".x" end
  if r == 4 then return ("%s = %s "):format(n, v), n end
  return ("local %s = %s "):format(n, v), n
end
local function operation()
  local d1, a = operand(any())
  local d2, b = operand(any())
  if chance(20) then return d1, pick(unops) .. a end
  return d1 .. d2, ("%s %s %s"):format(a, pick(binops), b)
end
function K.operators()
  local d, e = operation()
  local r = rnd(6)
  if r <= 2 then add("P(function() %sreturn %s end)", d, e)
  elseif r == 3 then add("P(function() %sif %s then return 1 else return 2 end end)", d, e)
  elseif r == 4 then add("P(function() %sif not (%s) then return 1 end return 2 end)", d, e)
  elseif r == 5 then add("P(function() %sreturn (function() return %s end)() end)", d, e)
  else local d2, e2 = operation() add("P(function() %s%slocal r = (%s) %s (%s) return r, (%s) end)", d, d2, e, pick(binops), e2, e2) end
  add("flush()")
end
function K.arithmetic()
  local op = pick {"+", "-", "*", "/", "//", "%", "^", "&", "|", "~", "<<", ">>"}
  local a, b = num(), num()
  add("P(function() local a, b = %s, %s return a %s b, b %s a end)", a, b, op, op)
  add("P(function() local a = %s return a %s %s, %s %s a end)", a, op, "(" .. b .. ")", "(" .. b .. ")", op)
  add("P(function() return %s %s %s end)", "(" .. a .. ")", op, "(" .. b .. ")")
end
function K.comparison()
  local a, b = num(), num()
  if chance(30) then b = a .. pick {"", " + 1", " - 1", " + 0.0", " - 0.5"} end
  for _, op in ipairs {"==", "~=", "<", "<=", ">", ">="} do
    add("P(function() local a, b = %s, %s return a %s b, a %s (%s), (%s) %s b, not (a %s b) end)", a, b, op, op, b, a, op, op)
  end
  add("P(function() local a, b = %s, %s local t = {} for i = 1, 1 do if a < b then t[1] = 1 elseif a <= b then t[1] = 2 elseif a ~= b then t[1] = 3 end end while a > b do t[2] = 1 break end repeat t[3] = a >= b until t[3] or a < b or true return t, math.max(a, b), math.min(b, a) end)", a, b)
end
function K.forloop()
  local e = ("%s, %s"):format(chance(60) and num() or any(), chance(60) and num() or any())
  if chance(60) then e = e .. ", " .. (chance(60) and pick {"1", "2", "-1", "3", "0.5", "-0.25", "1.0", "0", "0.0", "-0.0", "math.mininteger", "math.maxinteger", "1e308", "math.huge", "1 << 62"} or any()) end
  add("P(function() local n, r = 0, {} for i = %s do n = n + 1 r[n] = i %s if n == 4 then break end end return n, r end)", e, pick {"", "i = nil", "local i = 7", "r[n] = function() return i end r[n] = r[n]()"})
end
function K.loopclosures()
  add("P(function() local fs, k = {}, 0 for i = 1, %d do local j = i * 2 fs[#fs + 1] = function(d) j = j + (d or 0) k = k + 1 return i, j, k end if i == %d then %s end end return fs[1](5), fs[1](), fs[#fs]() end)", rnd(4), rnd(4), pick {"break", "i = 100", "k = 10"})
  add("P(function() local fs, i = {}, 0 ::top:: local x = i fs[#fs + 1] = function() x = x + 1 return x end i = i + 1 if i < %d then goto top end local s = 0 for _, f in ipairs(fs) do s = s * 10 + f() end return s, fs[1]() end)", rnd(4))
  add("P(function() local fs, i = {}, 0 repeat local x = i i = i + 1 fs[i] = function() x = x + 1 return x end if i == %d then goto continue end ::continue:: until x >= %d return fs[1](), fs[1](), #fs end)", rnd(3), rnd(3))
end
function K.gotos()
  local a, b = rnd(4), rnd(4)
  add("P(function() for i = 1, %d do for j = 1, %d do if (i * j) %% %d == %d then goto continue end if i + j == %d then goto out end L(i * 10 + j) ::continue:: end end ::out:: end) flush()", a, b, rnd(3), rnd(3) - 1, rnd(7))
  add("P(load [[%s]])", pick {"goto a; local x ::a:: return 1", "goto a; local x ::a::", "do goto a end ::a:: return 2", "do ::a:: end goto a", "::a:: ::a::", "::a:: do ::a:: end", "break", "while true do break; end return 3", "for i = 1, 2 do goto e ::e:: end return 4", "repeat local x = 1 if x then goto e end local y ::e:: until y", "goto e; do local a end ::e:: ; return 5", "local function f() goto l end ::l::", "while 1 do do break end end return 6", "goto continue; local a <close> = nil ::continue:: ; a = 1"})
end
function K.varargs()
  local args = list(any, 0, 4)
  add("P(function(...) local a, b, c = ... local t = {...} local u = {..., 'e'} return select('#', ...), a, b, c, t[1], u[2], (...) end, %s)", args == "" and "1" or args)
  add("P(function(...) local function f(...) return ... end return f(...), f(f(...)), (f(...)), f() end %s)", args == "" and "" or ", " .. args)
  add("P(function(...) return select(%s, ...) end, %s)", chance(80) and tostring(rnd(9) - 5) or str(), args == "" and "1" or args)
  add("P(function(...) local p = table.pack(...) return p.n, table.unpack(p, %d, p.n) end, %s)", rnd(3), args == "" and "nil" or args)
  add("P(function(...) local a <const>, b, c, d = 1, ... local e = ... a = 1 return a, b, c, d, e end)")
  out[#out] = ("P(function(x, ...) local a, b, c, d = x, ... local e, f = (...), ... return a, b, c, d, e, f, #{...} end, 1, %s)"):format(list(num, 1, 4))
end
function K.assignment()
  add("P(function() local a, b, c = %s, %s local t = {1, 2, 3} a, b, c = c, a, b local i = 1 i, t[i] = i + 1, 20 t[i], t[i + 1] = t[i + 1], t[i] return a, b, c, i, t end)", any(), any())
  add("P(function() local t = {} L(t).x, L('k') , t[L(2)] = L(1), L(2), L(3) end)")
  out[#out] = "P(function() local t, u = {}, {} t[L(1)], u[L(2)], t.z = L(3), L(4), L(5) return t, u end) flush()"
  add("P(function() local function f() return %s end local a, b, c, d = f(), f() local t = {f(), f(), [10] = f(), x = f(), f()} return a, b, c, d, t end)", list(num, 0, 3))
  add("P(function() local a = {} local b = a a.x, a = 1, {} return b.x, a.x end)")
  add("P(function() local x, y = 1, 2 do local x = y y = x + 10 x, y = y, x L(x) end return x, y end) flush()")
end
-- a local that a closure, called by the other operand, assigns
function K.order()
  local e = pick {"a %s f()", "f() %s a", "(a) %s (f() %s b)", "t[a] %s t[f()]", "(1 and a) %s -f()", "a %s b %s f()", "a %s t[f()]", "a %s t.x"}
  e = e:gsub("%%s", function() return pick {"+", "..", "==", "<", ">=", "//", "~", "and", "or"} end)
  local s = pick {"return %s", "t[a] = %s return t[1], t[2], u[1], u[2]", "t[a], t.x = %s, f() return t, u", "t[f()], t = %s, u return t, u", "t.x, u[b], b = %s return t, u, b", "return {[a] = %s, a}", "if %s then return a end"}
  local vars = ("local a, b, t, u = %s, %s, {5, 6, x = 1}, {7}"):format(pick {"1", "2.0", "'3'"}, num())
  local f = "local function f() a, b, t, u = 2, a, u, t return 1 end " .. pick {"", "setmetatable(t, {__index = function() a = b return 3 end}) "}
  s = s:gsub("%%s", function() return e end)
  out[#out + 1] = pick {"P(function() " .. vars .. " " .. f .. s .. " end)", "P(function() " .. vars .. " " .. f .. "return (function() " .. s .. " end)() end)"}
end
function K.constructor()
  local items = {}
  for i = 1, rnd(8) do
    local r = rnd(5)
    items[i] = r <= 2 and num() or r == 3 and ("x%d = %s"):format(rnd(3), any()) or r == 4 and ("[%s] = %s"):format(pick {"1", "2", "'x1'", "1.0", "2^53", "true", "-0.0", "0", "'1'", "1e100", "(nil)", "0/0"}, num()) or str()
  end
  add("P(function() local t = {%s%s} return t, t[1], t[2], t[1.0], t['1'], t.x1, t[true] end)", table.concat(items, pick {", ", "; "}), pick {"", ",", ", nil", "; (select(2, 1, 2, 3))", ", select(2, 1, 2, 3)"})
  local n = pick {0, 1, 3, 4, 5, 7, 8, 15, 16, 17, 49, 50, 51, 63, 64, 100, 127, 128}
  add("P(function() local t = {} for i = 1, %d do t[#t + 1] = i end local n = #t for i = n, %d, -1 do t[i] = nil end return n, #t, t[#t], t[#t + 1] end)", n, math.max(1, n - rnd(9)))
end
function K.keys()
  local k = pick {num(), num(), any(), str()}
  add("P(function() local t = {} local k = %s t[k] = 1 local k2 = next(t) return math.type(k2) or type(k2), k2 == k, t[k], t[%s] end)", k, num())
  add("P(function() local t = {10, 20, 30, x = 1, [2^53] = 5, [-1] = 7, [1.5] = 8} t[%s] = %s local v = t[%s] t[%s] = nil return v, t end)", k, pick {"1", "nil", "'v'"}, num(), num())
  add("P(function() return rawget({%s}, %s), rawequal(%s, %s), rawlen(%s) end)", list(num, 0, 3), any(), any(), any(), pick {"'abc'", "{1, 2}", "5", "nil", "O"})
  add("P(rawset, %s, %s, %s)", pick {"{}", "O", "1", "nil"}, any(), num())
  add("P(next, %s, %s)", pick {"{}", "{1}", "{x = 1}", "nil", "{1, 2}"}, pick {"nil", "1", "2", "'x'", "'nokey'", "{}", "0/0"})
end
local function pattern()
  local s = chance(15) and "^" or ""
  for _ = 1, rnd(5) do
    s = s .. pick {"a", "b", ".", "%a", "%d", "%s", "%w", "%p", "%x", "%u", "%l", "%c", "%g", "%A", "[abc]", "[^a]", "[a-c]", "[%d_]", "[]]", "[^]x]", "[a-]", "%%", "%.", "-", "%-", "x"} .. pick {"", "", "", "*", "+", "-", "?"}
    if chance(20) then s = s .. pick {"()", "(a)", "(.-)", "(", ")", "%1", "%b()", "%bxy", "%f[%a]", "%f[^a]", "(%a*)", "[", "[a", "%", "%0", "((.)%2)", "%f", "%b"} end
  end
  if chance(15) then s = s .. "$" end
  return "'" .. s .. "'"
end
function K.patterns()
  local s = pick {quoted(), "'hello world'", "'abc123 x_y (a(b)c)'", "'aaaa'", "''", "'key = value, k2 = v2'", "'THE (quick) fox'", "123"}
  add("P(string.find, %s, %s%s)", s, pattern(), pick {"", ", 1", ", 3", ", -2", ", 100", ", 0", ", 1, true", ", nil, true", ", '2'"})
  add("P(string.match, %s, %s%s)", s, pattern(), pick {"", ", 2", ", -1", ", 50"})
  add("P(string.gsub, %s, %s, %s%s)", s, pattern(), pick {"'%0%0'", "'<%1>'", "'%2'", "'%%'", "'x%'", "''", "{a = 'A', x = false, b = 1, ['1'] = 2.5}", "function(...) L(select('#', ...)) return ... end", "function() return nil end", "function() return {} end", "function(c) return false end", "5", "nil", "string.upper", "O"}, pick {"", ", 1", ", 0", ", -1", ", 2"})
  add("P(function() local n, r = 0, {} for a, b in string.gmatch(%s, %s%s) do n = n + 1 r[n] = a r[-n] = b if n == 6 then break end end return r end)", s, pattern(), pick {"", ", 2", ", -2"})
  add("flush()")
end
function K.strings()
  local s, i, j = pick {quoted(), "'hello'", "''", "12.5", "-7"}, pick {rnd(9) - 5, "nil", "math.maxinteger", "math.mininteger", "2.0", "'2'", "1.5"}, pick {rnd(9) - 5, "nil", "math.mininteger", "math.maxinteger", "-1"}
  add("P(string.sub, %s, %s, %s)", s, i, j)
  add("P(string.byte, %s, %s, %s)", s, i, j)
  add("P(function() return cut(string.rep(%s, %s, %s)) end)", s, pick {"0", "1", "3", "-1", "2.0", "'2'", "1.5", "nil"}, pick {"nil", "', '", "7", "''"})
  add("P(function() local s = %s return s:len(), s:upper(), s:lower(), s:reverse(), #s, s .. s, s < 'b', s <= 'hello' end)", quoted())
  add("P(string.char, %s)", list(function() return chance(80) and tostring(rnd(256) - 1) or any() end, 0, 4))
  add("P(function() local s = %s return (s)[%s], s.len, s:nomethod() end)", quoted(), any())
  add("P(function() return %s .. %s .. %s .. %s end)", num(), quoted(), num(), chance(60) and num() or any())
end
function K.format()
  local function spec()
    return "%" .. pick {"", "", "-", "0", "+", " ", "#", "-0", "+0", "#0", "- "} .. pick {"", "", "1", "5", "10", "20", "100", "99"} .. pick {"", "", ".0", ".1", ".3", ".10", ".20", ".", ".99", ".100"} ..
      pick {"d", "i", "u", "c", "x", "X", "o", "e", "E", "f", "F", "g", "G", "a", "A", "s", "q", "%", "d", "s", "g", "x", "f", "y", ""}
  end
  local f = {}
  for i = 1, rnd(2) do f[i] = spec() end
  if chance(30) then f[#f + 1] = pick {"%q", "%s", "%d", "%5.1f", "%-5s|", "%%", "%.14g", "%.17g", "%.3s", "%p", "%10.4d"} end
  add("P(string.format, '%s', %s)", (table.concat(f, " "):gsub("%%p", "%%i")), list(function() return chance(60) and num() or any() end, 1, 3))
end
function K.pack()
  local f = pick {"", "<", ">", "=", "!", "!4", "!8", "<!2", ">!16"}
  local args = {}
  for i = 1, rnd(4) do
    local r = rnd(8)
    if r <= 3 then f = f .. pick {"b", "B", "h", "H", "l", "L", "j", "J", "T", "i", "I", "i3", "I5", "i7", "I9", "i16", "I1", "i17", "i0"} args[#args + 1] = chance(80) and (chance(50) and tostring(rnd(300) - 150) or int()) or any()
    elseif r == 4 then f = f .. pick {"f", "d", "n"} args[#args + 1] = num()
    elseif r == 5 then f = f .. pick {"s", "s1", "s2", "z", "c0", "c3", "c10", "c"} args[#args + 1] = quoted()
    else f = f .. pick {"x", "Xh", "X", "Xi8", " ", "<", ">", "!", "!3", "!17", "Xz", "q"} end
  end
  add("P(function() local s = string.pack('%s', %s) return s, string.packsize('%s') end)", f, #args > 0 and table.concat(args, ", ") or "nil", f)
  add("P(function() return string.unpack('%s', (string.pack('%s', %s)) .. 'tail', %s) end)", f, f, #args > 0 and table.concat(args, ", ") or "nil", pick {"1", "1", "1", "2", "-5", "100"})
  add("P(string.unpack, '%s', '%s', %s)", f, pick {"\\1\\2\\3\\4\\5\\6\\7\\8\\9\\10\\11\\12", "", "\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255", "abc\\0def\\0"}, pick {"1", "2", "-3", "nil", "9"})
end
local function proxy()
  return ("setmetatable({}, {__index = function(_, k) L(k) return ({%s})[k] end, __newindex = function(_, k, v) L(k) L(v) end, __len = function() return %s end})"):format(list(num, 0, 5), pick {"0", "2", "3", "5", "3.0", "'3'", "1.5", "-1", "nil"})
end
function K.tables()
  local t = chance(70) and "{" .. list(function() return chance(70) and num() or quoted() end, 0, 6) .. "}" or proxy()
  local i, j = pick {"1", "2", "3", "0", "-1", "7", "2.0", "'2'", "1.5", "nil", "math.maxinteger"}, pick {"1", "3", "5", "0", "nil", "math.maxinteger", "math.mininteger"}
  local r = rnd(8)
  if r == 1 then add("P(function() local t = %s local r = table.pack(table.insert(t, %s)) return r.n, t end)", t, pick {"1", i .. ", 5", i .. ", nil", "", "1, 2, 3"})
  elseif r == 2 then add("P(function() local t = %s local a = table.remove(t, %s) return a, t end)", t, pick {i, i, ""}:gsub("^$", "nil"))
  elseif r == 3 then add("P(table.concat, %s, %s, %s, %s)", t, pick {"nil", "', '", "1", "{}"}, pick {"nil", "1", "2", "0"}, pick {"nil", "1", "3", "-1"})
  elseif r == 4 then add("P(table.unpack, %s, %s, %s)", t, pick {"nil", i}, pick {"nil", "1", "3", "5", "0", "-1", "math.maxinteger"})
  elseif r == 5 then add("P(function() local t = %s return table.move(t, %s, %s, %s%s), t end)", t, pick {"1", "2", "0", "-1", "math.mininteger", "1.5"}, pick {"0", "2", "3", "4", "nil"}, pick {"1", "2", "3", "5", "-1", "math.maxinteger"}, pick {"", ", {}", ", " .. proxy():gsub("%%", "%%%%"), ", nil"})
  elseif r == 6 then add("P(function() local t = {%s} table.sort(t%s) return t end)", list(num, 0, 12):gsub("0/0", "1"), pick {"", ", function(a, b) return a > b end", ", nil", ", 5", ", function(a, b) return a < b end", ", function(a, b) return math.abs(a) < math.abs(b) end"})
  elseif r == 7 then add("P(function() local t = {%s} table.sort(t) return t end)", list(function() return chance(90) and quoted() or any() end, 0, 8))
  else add("P(function() local t = %s table.sort(t) return t end)", t:gsub("0/0", "1")) end
  add("flush()")
end
function K.utf8()
  local s = pick {"'h\\u{e9}llo'", "'\\u{20ac}\\u{10ffff}x'", "'\\u{7fffffff}'", "'\\xff'", "'a\\x80b'", "''", "'\\u{d800}'", "'\\xe4\\xbd'", "'ab\\xc0\\x80'", "'\\u{7f}\\u{80}\\u{7ff}\\u{800}\\u{ffff}\\u{10000}'"}
  local i, j = pick {"1", "2", "3", "-1", "0", "nil", "10", "-10"}, pick {"1", "-1", "3", "nil", "20", "-20"}
  add("P(utf8.len, %s, %s, %s%s)", s, i, j, pick {"", ", true"})
  add("P(utf8.codepoint, %s, %s, %s%s)", s, i, j, pick {"", ", true"})
  add("P(utf8.offset, %s, %s, %s)", s, pick {"1", "2", "0", "-1", "-2", "5", "nil"}, i)
  add("P(function() local r = {} for p, c in utf8.codes(%s%s) do r[#r + 1] = p r[#r + 1] = c end return r end)", s, pick {"", ", true"})
  add("P(utf8.char, %s)", list(function() return pick {"0", "65", "0x7f", "0x80", "0x20ac", "0x10ffff", "0x7fffffff", "0x80000000", "-1", "'66'", "1.5", "nil"} end, 0, 3))
  add("P(string.gmatch(%s, utf8.charpattern))", s)
end
function K.math()
  local f = pick {"fmod", "ult", "tointeger", "floor", "ceil", "abs", "max", "min", "modf", "type", "sqrt", "log", "fmod", "ult", "tointeger"}
  add("P(math.%s, %s)", f, list(function() return chance(85) and num() or any() end, f == "fmod" and 2 or 1, 2))
  add("P(function() local f = math.%s return f(%s), f(%s) end)", f, list(num, 2, 2), list(num, 2, 3))
  add("P(math.%s, %s)", pick {"log", "exp", "sin", "floor", "tointeger", "abs", "ceil"}, chance(70) and num() or any())
end
function K.conversion()
  local s = pick {str(), str(), num(), "'" .. pick {"", " ", "-", "+", "0x", "0X", "."} .. pick {"0", "1", "9", "12", "ff", "1.", ".5", "1e5", "1e+5", "1e-400", "1e400", "0x.8p1", "1p4", "7fffffffffffffff", "8000000000000000", "18446744073709551616", "99999999999999999999", "0x1P-2", "1..2", "1e5.0", "infinity", "1_0", "'"}:gsub("'", "") .. pick {"", " ", "\\n", "x", "\\0", "."} .. "'"}
  add("P(tonumber, %s)", s)
  add("P(tonumber, %s, %s)", pick {"'10'", "'zz'", "'7f'", "'-ff'", "'8'", "''", "' 11 '", "'1.0'", "'ffffffffffffffffff'", "10", "'1 1'"}, pick {"2", "8", "10", "16", "36", "37", "1", "nil", "'16'", "2.5"})
  add("P(function() local s = %s return s + 0, s * 1.0, -s, s // 1, math.type(s + 0), s | 0, 10 .. s end)", s)
  add("P(function() return tostring(%s), %s .. '', #tostring(%s) end)", num(), num(), num())
  add("P(function() local f, m = load('return ' .. %s) return f and f() or m end)", (s:gsub('\\0', '')))
end
function K.literals()
  local s = ""
  for _ = 1, rnd(4) do s = s .. pick {"a", "\\\\n", "\\\\x41", "\\\\x4", "\\\\65", "\\\\256", "\\\\0", "\\\\z  b", "\\\\u{48}", "\\\\u{7FFFFFFF}", "\\\\u{80000000}", "\\\\u{", "\\\\q", "\\\\\\n", "\\n", "\\\\'", "\\0", "\\\\", "\\r"} end
  add("P(load('return \"%s\"'))", s)
  add("P(load('return %s'))", pick {"[[a]]", "[==[a]]b]==]", "[=[", "[[\\n\\na]]", "[=a", "0x", "0x1p", "1e", "1e+", "3in 4", "0x.p1", "0x1.8", "1..2", "1...2", "...", "'a", "'a\\nb'", "--[[ x ]] 5", "--[==[ ]] ]==] 6", "--x\\n7", "[[\\r\\na]]", "1 --", "08", "0xg", "1.5.2", ".5", "5.", "0x.1", "3 // 0", "3 % 0", "1 << 64", "'\\\\\\r\\nx'", "~0", "- -1", "not nil == true", "2^3^2", "-2^2", "1 .. 2 == '12'", "a.b:c'x'.y", "#'abc' + 1", "{} == {}, {1, [1] = 2}[1]", "({1, [1] = 2})[1]", "(((1)))", "f{...}", "1 < 2 == true", "'a' < 'b' and 1 or 2", "1 or error()", "nil and nil or false", "function() end", "(function(...) return ... end)(1, 2)", "5 // 0.0", "-5 % math.huge", "5 % -math.huge", "0x7fffffffffffffff + 1", "1//0 | 0"})
end
function K.coroutines()
  local r = rnd(9)
  local v = list(any, 0, 2)
  if r == 1 then add("P(function() local co = coroutine.create(function(a, ...) L(a) local b, c = coroutine.yield(%s) L(b) L(c) error(%s) end) for i = 1, 4 do line(coroutine.resume(co, i, 'x')) line(coroutine.status(co)) end end)", v, pick {any(), "'msg'", "'msg', 2", "'msg', 0"})
  elseif r == 2 then add("P(function() local f = coroutine.wrap(function(...) local n = select('#', ...) while n > 0 do n = n - 1 coroutine.yield(n, ...) end %s end) for i = 1, 4 do line(pcall(f, i)) end end)", pick {"return 'end'", "error('e')", "error({})", "local x = nil + 1", "error('e', 2)"})
  elseif r == 3 then add("P(function() local co = coroutine.create(function() local a <close> = closer('a'%s) local b <close> = closer('b') coroutine.yield(1) %s end) line(coroutine.resume(co)) line(coroutine.close(co)) line(coroutine.status(co)) line(coroutine.close(co)) line(coroutine.resume(co)) end)", pick {"", ", 'err'"}, pick {"", "error('x')"})
  elseif r == 4 then add("P(function() local f = coroutine.wrap(function() line(pcall(function() coroutine.yield(1) error('in') end)) line(xpcall(function() coroutine.yield(2) local x = nil .. 'a' end, function(m) return 'H:' .. tostring(m) end)) return coroutine.isyieldable() end) line(f()) line(f()) line(f()) line(pcall(f)) end)")
  elseif r == 5 then add("P(function() local mt = {__%s = function(a, b) local x = coroutine.yield('mm') return x end} local o = setmetatable({}, mt) local f = coroutine.wrap(function() return %s end) line(f()) line(f(%s)) end)", table.unpack(pick {{"add", "o + 1", "7"}, {"lt", "o < o", "nil"}, {"eq", "o == setmetatable({}, mt)", "1"}, {"concat", "'x' .. o .. 'y'", "'c'"}, {"index", "o.x", "5"}, {"call", "o(1)", "6"}, {"len", "#o", "3"}, {"unm", "-o", "false"}, {"le", "not (o <= o)", "1"}, {"newindex", "(function() o.x = 1 end)()", "1"}, {"close", "(function() local c <close> = o return 5 end)()", "1"}}))
  elseif r == 6 then add("P(function() local f = coroutine.wrap(function() for a, b in (function(s, c) return coroutine.yield(s, c) end), %s do L(a) end return 'done' end) line(f()) line(f(1, 2)) line(f(nil)) end) flush()", num())
  elseif r == 7 then add("P(function() local co co = coroutine.create(function() return coroutine.resume(co) end) line(coroutine.resume(co)) local m, main = coroutine.running() return main, coroutine.isyieldable(), coroutine.status(m) end)")
  elseif r == 8 then add("P(function() local f = coroutine.wrap(function() return pcall(pcall, coroutine.wrap(function() %s end)) end) return f() end)", pick {"error('a')", "coroutine.yield(1)", "error({})", "return 1, 2"})
  else add("P(coroutine.%s, %s)", pick {"resume", "wrap", "create", "status", "close", "isyieldable", "yield"}, any()) end
  add("flush()")
end
function K.messages()
  local bad = pick {"nil", "true", "{}", "print", "'abc'", "1.5", "R"}
  local path = pick {"a", "a.b", "a.b.c", "a[1]", "g", "g.x", "u", "a:m()", "a.m()", "('x').y.z", "a[k]", "a['b c']", "#a", "-a", "a + 1", "1 + a", "a .. 'x'", "'x' .. a", "a < 1", "a <= {}", "2^a", "a // 1", "a & 1", "1.5 | a", "~a", "a()", "g()", "u()", "(a)()", "a.b()", "u.x.y", "u + 1", "g + u", "a[nil]", "string.rep(a)", "('x'):rep(a)", "math.floor(a)", "setmetatable(a, 1)", "ipairs()", "a.b.c.d", "(a or g).x", "string.format('%d', a)", "tostring()", "rawset(a)", "select(a, 1)", "io.open(a, 'q')", "('x'):bad()", "string.char(a)", "table.concat(a)", "k .. a", "a .. k", "k + a", "a - k"}
  add("P(function() local u, k = %s, 'key' local function f(a) local r = %s end return f(%s) end)", bad, path, pick {"nil", "{}", "{b = {}}", "5", "'s'", "{m = 1}", "true"})
  add("P(function() local u, k = %s, 'key' local function f(a) %s = 1 end return f(%s) end)", bad, pick {"a.b", "a.b.c", "a[k]", "a[1]", "g.x", "u.x", "a[nil]", "a[0/0]", "u[k].z", "a.b[1]"}, pick {"nil", "{}", "5", "'s'", "true"})
  add("P(function() for i = %s do break end end)", list(any, 2, 3))
  add("P(function() for k, v in %s do break end end)", any())
  add("P(error, %s%s)", pick {"'m'", "nil", "{}", "5", "true", "O"}, pick {"", ", 0", ", 1", ", 2", ", nil", ", 'x'"})
end
function K.levels()
  local l = pick {"", ", 0", ", 1", ", 2", ", 3", ", 4"}
  add("P(function()\n  local function f() error('msg'%s) end\n  local function g() f()\n end\n  g()\nend)", l)
  add("line(xpcall(function(...) local x = ... ; return x.y.z end, function(m) return 'H ' .. tostring(m), 2 end, %s))", any())
  add("line(xpcall(%s, %s))", pick {"error", "function() error({}) end", "nil", "function() return 1, 2 end", "5"}, pick {"tostring", "type", "function(m) return m end", "nil", "function(m) return show(m) .. '!' end"})
  add("line(xpcall(function() local t = {} t.x.y = 1 end, traceback))")
  add("P(assert, %s)", list(any, 0, 3))
  add("P(pcall, %s)", list(any, 0, 2))
  add("P(function() return select('#', pcall(error)), pcall(pcall), pcall(error, nil) end)")
end
function K.closing()
  local e = pick {"", "", ", 'E'"}
  local body = pick {"return L('r'), 2", "error('x', 0)", "break", "goto out", "L(1)", "local c <close> = closer('c', 'ce')", "return (function() return 5 end)()", "local x <close> = 1", "local x <close> = nil", "local x <close> = false", "return closer('z')"}
  add("P(function() for i = 1, 2 do local a <close> = closer('a'%s) local b <close> = closer('b'%s) %s end ::out:: end) flush()", e, pick {"", ", 'F'"}, body)
  add("P(function() for k in (function(_, k) if not k then return 1 end end), nil, nil, closer('it'%s) do %s end ::out:: return 'after' end) flush()", e, body)
  add("P(function() local function f(...) local a <close> = closer('v') return ... end return f(%s) end) flush()", list(num, 0, 4))
  add("P(load [[%s]])", pick {"local x <const> = 1; x = 2", "local x <close> = nil; x = 1", "local x <foo> = 1", "local a <close>, b <close> = nil", "local x <const> = 1; return function() x = 2 end", "for i = 1, 2 do local x <const> = i; (function() return x end)() end return 1", "local a <const>, b <close>, c = 1, nil, 3 return a, b, c", "local x <const>; return x", "local x < const > = 5 return x + 1", "local <const> x = 1"})
end
function K.loading()
  add("P(function() local parts, i = {%s}, 0 return load(function() i = i + 1 return parts[i] end, %s, %s, {x = 5}) end)", list(function() return pick {"'return'", "' x'", "' + 1'", "nil", "''", "'\\n'", "5", "{}", "' y'", "'--'"} end, 1, 4), pick {"'=n'", "'@n'", "'n'", "nil", "('x\\n'):rep(3)", "('y'):rep(100)"}, pick {"nil", "'t'", "'b'", "'bt'", "'x'"})
  out[#out] = out[#out]:gsub("return load(%b())", function(c) return "local f, m = load" .. c .. " if f then return f() end return m" end)
  add("P(function() local env = {y = 1, error = error} local f = load('x = ...; return x, y, z%s', 'c', 't', %s) return f(%s) end)", pick {"", ".q", "()", " + 1"}, pick {"env", "env", "nil", "{}"}, any())
  add("P(function() local _ENV = {x = %s, print = print} y = x return y, x%s end)", num(), pick {"", ".z", ", nothing.k", "()"})
  add("P(function() local function f(_ENV) return a + %s end return f{a = %s} end)", num(), any())
  add("P(function() local a = 1 local f = load(string.dump(function(...) return type(a), ... end)) return f(2) end)")
end
function K.traversal()
  add("P(function() local t = {} for i = 1, %d do t[i] = i end for i = 1, %d do t['k' .. i] = i end local n, s = 0, 0 for k, v in pairs(t) do n = n + 1 s = s + v if v %% %d == 0 then t[k] = nil else t[k] = v + 1 end end return n, s, t end)", rnd(9) - 1, rnd(9) - 1, rnd(4))
  add("P(function() local r = {} for k, v in pairs(setmetatable({}, {__pairs = function(t) return function(_, k) k = (k or 0) + 1 if k < %d then return k, k * 2 end end, t, nil end})) do r[k] = v end return r end)", rnd(4))
  add("P(function() local r = {} for i, v in ipairs(setmetatable({1, 2}, {__index = function(t, k) if k < %d then return k * 10 end end})) do r[i] = v end return r end)", rnd(6))
  add("P(function() local t, n = {%s}, 0 for i, v in ipairs(t) do n = n + 1 if n < 4 then t[#t + 1] = n end end return n, #t end)", list(num, 0, 3))
  add("P(function() local t = {a = 1, b = 2, c = 3} for k in next, t do t[k] = nil end return next(t), #t end)")
end
function K.metamethods()
  local events = list(function() return pick {"add", "sub", "idiv", "mod", "concat", "eq", "lt", "le", "unm", "len", "index", "newindex", "call", "band", "shl", "bnot", "pow", "div", "tostring", "close", "name"} end, 1, 4):gsub(",", "")
  add("P(function() local A, B = object('A', '%s'), object('BB', '%s') return A %s B, B %s %s, %s A end) flush()", events, pick {events, "add", ""}, pick(binops), pick(binops), any(), pick(unops))
  add("P(function() local A = object('A', '%s') A.x = 1 return A.x, A.nothing, A[1], rawget(A, 'x'), A(%s) end) flush()", events, any())
  local base = pick {"{x = 1, [1] = 'one'}", "function(t, k) L(k) return k end", "setmetatable({}, {__index = {x = 3}})", "5", "'str'", "O", "false"}
  add("P(function() local a = setmetatable({}, {__index = %s}) local b = setmetatable({y = 2}, {__index = a, __newindex = %s}) b.z = 1 return b.x, b.y, rawget(b, 'z'), b[1], b.len end) flush()", base, pick {"{}", "a", "function(t, k, v) rawset(t, k, v) end", "nil", "O", "7"})
  add("P(function() return tostring(setmetatable({}, {__tostring = %s, __name = %s})) end)", pick {"function() return 'T' end", "function() return 5 end", "nil", "5"}, pick {"'N'", "5", "nil"})
  out[#out] = out[#out]:gsub("return tostring(.*) end%)$", "return (tostring%1:gsub('0x%%%%x+', '')) end)"):gsub("%%%%", "%%")
  add("P(function() local t = setmetatable({}, {__metatable = %s}) return getmetatable(t), setmetatable(t, {}) end)", any())
  add("P(function() local f = setmetatable({}, {__call = setmetatable({}, {__call = function(...) return select('#', ...) end})}) return f(1, 2), pcall(f) end)")
  add("P(function() local a = setmetatable({}, {__name = 'My.Type'}) return %s end)", pick {"a + 1", "#a < a", "a .. 'x'", "a.x.y", "a()", "a < a", "a < 1", "string.rep(a)", "-a", "a[nil]", "ipairs(nil, a)", "math.floor(a)", "a & 1", "{} < a"})
end
function K.oslib()
  add("P(os.time, {year = %s, month = %s, day = %s, hour = 12})", pick {"2020", "1970", "'2021'", "2020.0", "1.5", "nil", "math.maxinteger"}, pick {"1", "13", "0", "2", "'x'"}, pick {"1", "31", "-5", "366"})
  add("P(os.date, %s, %s)", pick {"'!%Y-%m-%d %H:%M:%S'", "'!%c'", "'!*t'", "'%Ez'", "'%Q'", "'%'", "'!%%'"}, pick {"0", "86400", "1e9 // 1 | 0", "'x'", "1.5", "-1"})
end
function K.upvalues()
  add("P(function() local a, b = %s, 0 local function get() return a, b end local function set(x) a = x b = b + 1 return get() end local function nest() return function() a = b return set end end line(set(%s)) nest()()(%s) return get() end)", any(), any(), num())
  add("P(function() local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end local function loop(n, acc) if n == 0 then return acc end return loop(n - 1, acc + n) end return fib(%d), loop(%d, 0) end)", rnd(12), rnd(300))
  add("P(function() local t = {} for i = 1, 3 do t[i] = {get = function() return i end, set = function(v) i = v end} end t[%d].set('x') return t[1].get(), t[2].get(), t[3].get() end)", rnd(3))
end

local kinds = {}
for k in pairs(K) do kinds[#kinds + 1] = k end
table.sort(kinds)
out = {}
for _ = 1, 12 do K[pick(kinds)]() end
return prelude .. table.concat(out, "\n") .. "\n"
end
