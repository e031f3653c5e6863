-- Strings: literals, equality across short and long ones, keys, concatenation, embedded zeros.
-- Protects: vm/str.c, vm/lex.c, OP_CONCAT.
assert("\65\066\x43\u{44}\z
        E" == "ABCDE" and "\u{7FFFFFFF}" == "\xFD\xBF\xBF\xBF\xBF\xBF" and '\'' == "'" and "\"" == '"')
assert("a\
b" == "a\nb" and [[
x]] == "x" and [==[]]]==] == "]]" and #"\0\0" == 2 and "\a\b\f\n\r\t\v\\" == "\7\8\12\10\13\9\11\92")
local long = ("x"):rep(1000)
local t = {}
t[long] = 1
t[("x"):rep(500) .. ("x"):rep(500)] = 2
assert(t[long] == 2 and next(t, next(t)) == nil)
t = {}
for i = 1, 200 do t[("k"):rep(i)] = i end
for i = 1, 200 do assert(t[("k"):rep(i - 1) .. "k"] == i) end
assert(("a\0b"):len() == 3 and "a\0b" ~= "a\0c" and ({["a\0b"] = 7})["a" .. "\0b"] == 7)
-- lengths around every internal limit
for _, n in ipairs { 0, 1, 14, 15, 16, 31, 32, 33, 39, 40, 41, 63, 64, 65, 255, 256, 1023, 1024, 1025, 65535, 65536 } do
  local a, b = ("ab"):rep(n):sub(1, n), ("ab"):rep(n + 1):sub(1, n)
  assert(a == b and #a == n and ({[a] = n})[b] == n)
  assert(a .. b == b .. a and #(a .. b) == 2 * n and (a .. "") == a)
end
-- concatenation of many
local parts = {}
for i = 1, 300 do parts[i] = "v" .. i end
local src = "local v = 'z' return " .. ("v .. "):rep(150) .. "v"
assert(load(src)() == ("z"):rep(151))
assert(1 .. 2 .. 3 == "123" and ("a" .. ("b" .. "c")) == (("a" .. "b") .. "c"))
local s = ""
for i = 1, 500 do s = s .. i end
assert(#s == 9 + 90 * 2 + 401 * 3)
-- methods through the string metatable
assert(("%d"):format(3) == "3" and #("abc"):upper() == 3 and ("x"):rep(3, ",") == "x,x,x")
assert(("hello"):find("l") == 3 and ("hello").len == string.len and ("x").nothing == nil)
assert(getmetatable("").__index == string and getmetatable("").__name == nil)
-- tostring/tonumber keep strings as they are
local str = "abc" .. tostring(12)
assert(rawequal(tostring(str), str) and rawequal(str, "abc" .. 12) and rawlen(str) == 5)
-- patterns and gsub
assert(("hello world"):gsub("o", "0") == "hell0 w0rld" and select(2, ("aaa"):gsub("", "-")) == 4)
assert(("abc"):gsub("%w", "%0%0") == "aabbcc" and ("abc"):gsub("", "-") == "-a-b-c-")
assert(("x=1, y=2"):gsub("(%w+)=(%w+)", "%2=%1") == "1=x, 2=y" and ("abc"):gsub("b", {b = false}) == "abc")
assert(("THE (quick) fox"):find("%((%a+)%)") == 5 and ("f(a(b)c)d"):match("%b()") == "(a(b)c)")
assert(("THE (quick) fox"):gsub("%f[%a]%a+", string.lower) == "the (quick) fox")
local words = {}
for w, p in ("one two  three"):gmatch("(%a+)()") do words[#words + 1] = w .. p end
assert(table.concat(words, ";") == "one4;two8;three15")
assert(select("#", string.byte("abc", 1, -1)) == 3 and string.char() == "" and ("abc"):byte(10) == nil)
assert(("abc"):sub(-2) == "bc" and ("abc"):sub(2, 10) == "bc" and ("abc"):sub(0) == "abc" and ("abc"):sub(3, 2) == "")
assert(("abc"):sub(math.mininteger, math.maxinteger) == "abc" and ("x"):rep(0) == "" and ("x"):rep(-1) == "")
-- pack, unpack
assert(string.pack(">I4", 0x01020304) == "\1\2\3\4" and string.unpack("<i2", "\255\255") == -1)
assert(string.unpack("z", "abc\0def") == "abc" and string.packsize("i4i8") >= 12)
assert(utf8.char(228, 8364, 0x10FFFF) == "\u{E4}\u{20AC}\u{10FFFF}" and utf8.len("äö") == 2)
