-- Patterns: random and chosen ones, results and errors as Lua's. Protects: stdlib/strmatch.c.
local seed = 12345
local function rnd(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n + 1
end
local parts = { "a", "b", ".", "%a", "%d", "%w", "[ab]", "[^a]", "[a-c]", "[]x]", "[^]]", "[%a-]", "[a-]", "(", ")", "()", "*", "+", "-", "?",
  "^", "$", "%1", "%2", "%b()", "%bab", "%f[%a]", "%f[^%w]", "%", "[", "%f", "%b", "%S", "%u", "%%", "\0", "x", " " }
local subjects = { "", "a", "ab", "aab(b)c", "abcabcabc", "x y  z12", "((a)b)c(", "a\0b\0", "aaaaaaaaab", "hello world from Lua", "]]x-]" }
local function show(...)
  local t = table.pack(...)
  for i = 1, t.n do t[i] = math.type(t[i]) == "integer" and t[i] or string.format("%q", tostring(t[i])) end
  return table.concat(t, ",")
end
local lines = {}
for _ = 1, 3000 do
  local p = {}
  for i = 1, rnd(6) do p[i] = parts[rnd(#parts)] end
  local pat, s, init = table.concat(p), subjects[rnd(#subjects)], rnd(8) - 4
  lines[#lines + 1] = show(pcall(string.find, s, pat, init))
  lines[#lines + 1] = show(pcall(string.match, s, pat, init))
  lines[#lines + 1] = show(pcall(string.gsub, s, pat, "<%0%1>"))
  lines[#lines + 1] = show(pcall(string.gsub, s, pat, "%2%%", 2))
  lines[#lines + 1] = show(pcall(string.gsub, s, pat, { a = 1, b = false, ab = "X" }))
  lines[#lines + 1] = show(pcall(string.gsub, s, pat, function(x, y) if rnd(2) == 1 then return y or x end end))
  lines[#lines + 1] = show(pcall(function()
    local r = {}
    for x, y in s:gmatch(pat, init) do r[#r + 1] = show(x, y) end
    return table.concat(r, ";")
  end))
end
print(table.concat(lines, "\n"))
local function try(...) print(select("#", ...), show(pcall(...))) end
try(string.find, "abc", "b", -1) try(string.find, "abc", "", 4) try(string.find, "abc", "", 5) try(string.find, "a.c", ".", 1, true)
try(string.find, "abc", "b", math.mininteger) try(string.find, "abc", "b", math.maxinteger)
try(string.match, ("x"):rep(300), ".-b") try(string.match, ("x"):rep(300), ("x?"):rep(300))
try(string.find, "a", ("("):rep(33) .. "a") try(string.gsub, "abc", "b", "%") try(string.gsub, "abc", "b", "%x") try(string.gsub, "abc", "(b)", "%2")
try(string.gsub, "abc", "b", function() return {} end) try(string.gsub, "abc", "b", true) try(string.gsub, "abc", "()b", "%1") try(string.gsub, "a", "a", 12)
try(string.gsub, "hello", "", "-") try(string.gsub, "abc", "^a", "x", 5) try(string.gsub, "aaa", "a", "b", -1) try(string.gsub, "aaa", "a", "b", 0)
try(string.find) try(string.find, "a") try(string.match, {}, "a") try(string.gmatch, "a") try(string.gsub, "a", "b") try(string.find, 12321, 2)
try(string.find, "a\0b", "\0") try(string.find, "a\0b", "%z") try(string.rep, "x", 3, ",")
