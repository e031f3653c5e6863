-- Texts of run-time errors, with the names of what is wrong, for every kind of variable and operation.
local function try(src, ...)
  local f, e = load(src, "=t")
  if not f then print(src, "LOAD", e) return end
  print(src, (tostring((select(2, pcall(f, ...)))):gsub("0x%x+", "ADDR")))
end
local things = {"nil", "true", "{}", "'s'", "1", "1.5", "type"}
local exprs = {
  "V.x", "V.x.y", "V[1]", "V['a b']", "V[k]", "V()", "V.x()", "V:m()", "V.x:m()", "V + 1", "1 + V", "V .. 'x'", "'x' .. V", "-V", "~V",
  "#V", "V < 1", "1 < V", "V < V", "V <= {}", "V & 1", "V << 1.5", "V // 0", "V % 0", "V ^ 'x'", "V .. {}", "V * V", "V.x.y.z", "V[V]", "V(V)()", "V and V.q.r",
  "V + 2^53 | 1", "({})[V].x", "V == 1 and V.a.b", "(V)()", "(V).x.y", "V'str'", "V{}",
}
for _, v in ipairs(things) do
  for _, e in ipairs(exprs) do
    try("local k = 'kk' local V = " .. v .. " return " .. e)
    try("V = " .. v .. " return " .. e)
    try("local V = " .. v .. " return (function() return " .. e .. " end)()")
    try("local t = {V = " .. v .. "} return " .. e:gsub("V", "t.V"))
    try("local t = {V = " .. v .. "} local n = 'V' return " .. e:gsub("V", "t[n]"))
    try("local t = {" .. v .. "} return " .. e:gsub("V", "t[1]"))
    try("local a <const> = " .. v .. " return " .. e:gsub("V", "a"))
  end
  try("local V = " .. v .. " V.x = 1")
  try("local V = " .. v .. " V[1] = 1")
  try("local V = " .. v .. " V[nil] = 1")
  try("local V = " .. v .. " V.x.y = 1")
  try("V = " .. v .. " V.x.y.z = 1")
  try("local V = " .. v .. " function V.f() end")
  try("local V = " .. v .. " function V.a.b() end")
  try("local V = " .. v .. " for i = V, 10 do end return 'ok'")
  try("local V = " .. v .. " for i = 1, V do return 'ok' end return 'ok'")
  try("local V = " .. v .. " for i = 1, 2, V do return 'ok' end return 'ok'")
  try("local V = " .. v .. " for k in V do return 'ok' end")
  try("local V = " .. v .. " for k in pairs(V) do return 'ok' end")
  try("local V = " .. v .. " return setmetatable(V, {})")
  try("local V = " .. v .. " local c <close> = V")
end
V = nil
-- upvalues in deeper levels, arguments, varargs, results, constants
try("local up = nil return (function() return function() return up.x end end)()()")
try("local up = nil return (function() up.x = 1 end)()")
try("local up = nil return (function() up() end)()")
try("return (...).x", nil)
try("local a, b = ... return b.x", 1)
try("return ('x')()")
try("return ('x').y.z")
try("return (1).x.y")
try("return (nil)[1]")
try("return math.nofunc()")
try("return string.format('%d', 'x')")
try("return ('x'):nomethod()")
try("return ('%d'):format(1.5)")
try("local t = setmetatable({}, {__index = function(t, k) return k.x.y end}) return t.a")
try("local t = setmetatable({}, {__add = function(a, b) return a.x.y end}) return t + 1")
try("local t = setmetatable({}, {__call = 1}) return t()")
try("return 1 < 'x'") try("return {} < {}") try("return {} < 1") try("return nil > 1") try("return print < print")
try("return 2^53 & 1.5") try("return 1.5 | 1") try("return '1.5' | 1") try("return 2^63 | 1") try("return 'a' | 1") try("return 1 // 0") try("return 1 % 0")
try("local a = 1 local b = 0 return a // b") try("local a, b = {}, 1 return a + b") try("local a, b = 1, {} return a + b")
try("local a = 'x' return a + 1") try("local a = 'x' return 1 + a") try("return 'x' + 'y'") try("return '10' + {}") try("return {} + '10'")
try("local a = {} return a .. 'x' .. 'y'") try("local a = {} return 'x' .. a .. 'y'") try("local a return 'x' .. 'y' .. a") try("x = nil return 'a' .. x .. 'b'")
try("t = {} t.a.b.c = 1") try("t = {a = {}} t.a.b.c = 1") try("t = {a = {b = {}}} t.a.b.c.d()") try("t = {} t:x()") try("t = {} t.x:y()") try("local t = {} t[1]()")
try("t = {} t['x y']()") try("local s = 'f' t = {} t[s]()") try("local i = 2 t = {} t[i]()") try("t = {} t[true]()") try("t = {} t[1.5]()") try("t={} t[2^53]()")
try("t[nil] = 1") try("rawset({}, nil, 1)") try("t[0/0] = 1") try("local t = {} t[nil] = nil") try("return next({}, 1)")
try("goto x") try("local x <const> = 1 x = 2") try("for i = 1, 10, 0 do end") try("error()") try("error(nil)") try("error('x', 0)") try("error('x', 1)") try("error('x', 2)")
try("a.b:c()") try("a = {} a.b.c:d()") try("a = {b = {}} a.b:d()") try("local a = {b = {}} a.b.c.d = 1") try("return #nil") try("return -{}") try("return #5") try("local a = {} a = -a")
t = nil a = nil x = nil
