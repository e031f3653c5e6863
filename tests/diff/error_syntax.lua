-- Texts of compile errors.
local function try(src) local f, e = load(src, "=s"); print((src:gsub("\n", "\\n"):sub(1, 60)), f and "ok" or e:match("[^\n]*")) end
for _, s in ipairs {
  "x", "x =", "= 1", "x = = 1", "local", "local 1", "local x =", "local x y", "local function", "local function f", "local function f(", "local function f()", "function", "function f",
  "function f.", "function f:a.b() end", "function f() return", "if", "if x", "if x then", "if x then else", "if x then elseif", "if x then elseif y then", "if x then else elseif y then end", "while", "while x",
  "while x do", "for", "for x", "for x =", "for x = 1", "for x = 1,", "for x = 1, 2", "for x = 1, 2 do", "for x in", "for x in y", "for x, 1 in y do end", "for 1 = 2, 3 do end", "for x = 1, 2, 3, 4 do end",
  "repeat", "repeat x() until", "do", "do end end", "end", "return 1,", "return return", "return 1 x = 2", "break", "goto", "goto 1", "::x", "::1::", "::x:: ::x::", "goto x", "local x <const", "local x <foo> = 1",
  "local x <const> = 1 x = 3", "x()y", "x:y", "x.1", "x.", "x[", "x[1", "x[]", "x(", "x(1", "x(1,", "(x", "(x)", "(x) = 1", "x, y", "x, y =", "x, 1 = 2", "f() = 1", "f(), x = 1", "x:y() = 1", "{}", "x = {", "x = {1", "x = {1,,}",
  "x = {[1]}", "x = {[1] 2}", "x = {a = }", "x = {a b}", "x = }", "x = 1 +", "x = + 1", "x = 1 + + 1", "x = not", "x = #", "x = -", "x = a and", "x = a or or b", "x = 1 .. ", "x = function", "x = function f() end", "x = function(a,) end",
  "x = function(a, ..., b) end", "x = function(... a) end", "x = function(1) end", "x = ...", "function f() return ... end", "function f(...) return function() return ... end end", "x = 'abc", "x = \"abc", "x = 'a\nb'", "x = [[abc", "x = [==[abc]=]", "x = [=abc",
  "--[[ unclosed", "x = 1e", "x = 0x", "x = 1..2", "x = 1.2.3", "x = 3x", "x = 0xg", "x = 1e+", "x = '\\q'", "x = '\\300'", "x = '\\xZZ'", "x = '\\x1'", "x = '\\u{110000000}'", "x = '\\u123'", "x = '\\u{zz}'", "x = '\\u{12'", "x = '\\",
  "x = @", "x = $", "x ! y", "x = 1 != 2", "x = a ? b : c", "x += 1", "x++", "x = y = z", "if x = 1 then end", "if x then end end", "local function f() end)", "x = (1", "x = (1\n\n", "if x then\n\n\n", "for i = 1, 2 do\n\n", "function f()\n\n", "x = {\n\n", "f(\n\n",
  "repeat\n\n", "while x do\n\n", "local x <close>, y <close> = 1, 2", "x = \1", "x = \200", "x = 'a' 'b' = 3", "f 'a' 'b' {} = 1", "a.b:c 'x'.d = 1", "a.b:c = 1", "local a.b = 1", "local t = {} t:x", "return;;", "return; x = 1", ";;; x", "goto l; local a; ::l:: print(a)",
  "do goto l; local a; ::l:: end", "repeat goto c; local z; ::c:: until z", "x = ~", "x = ~= 1", "x = 1 < < 2", "x = 1 <> 2", "x = a:b", "x = a.b:c", "x = {...}", "function f(a) x = {...} end", "x = \"\\\r\n\"", "local and = 1", "x.end = 1", "x = nil.y", "nil = 1", "true()", "1()", "'x'()", "('x')()",
  "x = 0x1p", "x = 0x.p1", "x = .e1", "x = 08", "x = 9999999999999999999999", "x = 0xffffffffffffffffffff", "local x <const> = f; x.y = 1", "local f <const> = 1; function f() end", "\n\n\nx x", "x = [[\n\n]] y", "--[==[\n\n]==] y y", "x = 'a\\z  \n\n  b' y y",
} do try(s) end
-- deep structures
try("x = " .. ("("):rep(300) .. "1" .. (")"):rep(300))
try("x = " .. ("{"):rep(300) .. ("}"):rep(300))
try(("do "):rep(300) .. ("end "):rep(300))
try("x = " .. ("-"):rep(1) .. (" -"):rep(300) .. "1")
try("x = " .. ("not "):rep(300) .. "1")
try("x = " .. ("a."):rep(1000) .. "b")
try("x = " .. ("function() return "):rep(250) .. "1" .. (" end"):rep(250))
try("x = " .. ("a^"):rep(300) .. "1")
try("x = " .. ("a.."):rep(300) .. "1")
try(("if x then "):rep(300) .. ("end "):rep(300))
try("local a = " .. ("f("):rep(300) .. (")"):rep(300))
