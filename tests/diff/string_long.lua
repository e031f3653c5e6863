-- The functions that lungo has of its own because they may take long (stdlib/textlib.c), over short and long strings.
local function show(...)
  local t = table.pack(...)
  for i = 1, t.n do
    local v = t[i]
    if type(v) == "string" and #v > 60 then
      local h = 0
      for j = 1, #v, 997 do h = (h * 31 + v:byte(j)) % 1000000007 end
      v = ("<%d bytes, %d, %q .. %q>"):format(#v, h, v:sub(1, 5), v:sub(-5))
    end
    t[i] = type(v) == "string" and ("%q"):format(v) or tostring(v)
  end
  print(table.concat(t, " ", 1, t.n))
end
local function try(f, ...) show(pcall(f, ...)) end

local big = ("abcdeFGHIJ\n\0\255"):rep(20000)
show(#big, big)
for _, s in ipairs { "", "a", "aBc", "\0x\0", "\xe4\xC4", big, big:sub(2, 65537), big:sub(1, 65536) } do
  show(s:lower(), s:upper(), s:reverse(), s:reverse():reverse() == s)
end
try(string.lower) try(string.upper, {}) try(string.reverse, nil)
show(string.rep(12, 3), string.upper(1.5))

for _, s in ipairs { "", "a", "ab", "abc", ("x"):rep(65535), ("xy"):rep(40000) } do
  for _, sep in ipairs { "", ",", "--", ("s"):rep(70000) } do
    for _, n in ipairs { -1, 0, 1, 2, 3, 7 } do show(s:rep(n, sep)) end
  end
end
show(("ab"):rep(100001), ("abc"):rep(65537, "-"))
try(string.rep, "x", 1 << 62) try(string.rep, "xx", math.maxinteger) try(string.rep, "x", 1 << 40, ("y"):rep(1 << 30))
try(string.rep) try(string.rep, "x") try(string.rep, "x", 1.5) try(string.rep, "x", 2, {}) try(string.rep, "x", "3", 1)

local texts = { "", "a", "ä", "€uro", "\u{10FFFF}", "\u{7FFFFFFF}", "\u{200000}", "\xff", "\xfe", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
  "\xf4\x90\x80\x80", "\x80", "a\x80", "ä\0b", "\xe4", "a\xe4b", "日本語", ("日本語"):rep(50000), ("a"):rep(200000) .. "\xff" }
for _, s in ipairs(texts) do
  show(utf8.len(s)) show(utf8.len(s, 1, -1, true))
  for i = -3, 5 do
    for _, j in ipairs { -2, 0, 1, 3, 4 } do try(utf8.len, s, i, j) end
    for n = -3, 3 do try(utf8.offset, s, n, i) end
  end
  for _, n in ipairs { 1, 2, -1, -2, 0, 100000, -100000, 150001, 1 << 60, math.mininteger } do try(utf8.offset, s, n) end
end
try(utf8.len) try(utf8.len, {}) try(utf8.offset, "x") try(utf8.offset, "x", 1, 5) try(utf8.len, "x", math.mininteger) try(utf8.offset, "x", 1, math.mininteger)
try(utf8.len, "abc", 5) try(utf8.len, "abc", 4) try(utf8.len, "abc", 1, 4) try(utf8.offset, "abc", 1, 4)

for _, s in ipairs { "10", "ff", "FF", "zz", " 10 ", "-10", "- 10", "+7", "", " ", "-", "1 2", "1.5", "0x10", "8", "\t\n12\v\f\r", "10\0", "7fffffffffffffff",
  "ffffffffffffffff", "123456789123456789123456789", ("1"):rep(70000), (" "):rep(70000) .. "1" } do
  for _, base in ipairs { 2, 8, 10, 16, 36 } do show(tonumber(s, base)) end
  show(tonumber(s))
end
try(tonumber) try(tonumber, {}) try(tonumber, nil) try(tonumber, 12, 10) try(tonumber, "1", 1) try(tonumber, "1", 37) try(tonumber, {}, 10)
try(tonumber, "1", {}) try(tonumber, "0x1p4") try(tonumber, "1e", nil) try(tonumber, 3.0) try(tonumber, "3", nil)

local long = ("%% x"):rep(30000)
show(string.format(long), string.format(long .. "%s|%5d|%-3s|%q", "v", 12, "z", "q\n"))
show(string.format("%q", big), string.format("[%q] %s %q", big, big, "\0001\r2\0"))
show(load("return " .. ("%q"):format(big))() == big)
show(string.format("%s", big) == big, string.format("%s%s", big, 1), string.format(long .. "%s", big))
try(string.format, long .. "%") try(string.format, long .. "%y", 1) try(string.format, long .. "%d") try(string.format, "%d", big)
try(string.format, "%5q", big) try(string.format) try(string.format, {}) try(string.format, "%q", {})
