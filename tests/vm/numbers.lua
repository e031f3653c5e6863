-- Integers and floats: literals, arithmetic, comparison, conversion.
-- Protects: vm/num.c, vm/lex.c, arithmetic instructions of vm/interp.c.
local maxi, mini = math.maxinteger, math.mininteger
local function id(...) return ... end -- hides constants from the code generator

-- literals
assert(0x10 == 16 and 0xA.8p0 == 10.5 and 0x.1p4 == 1.0 and 1e2 == 100.0 and .5 == 0.5 and 3. == 3.0)
assert(math.type(3) == "integer" and math.type(3.0) == "float" and math.type("3") == nil)
assert(0xffffffffffffffff == -1 and 0x7fffffffffffffff == maxi and 0x1ffffffffffffffff == -1)
assert(math.type(9223372036854775807) == "integer" and math.type(9223372036854775808) == "float")
assert(1//1 == 1 and 0xep1 == 28.0 and 1E+2 == 100 and 1e-2 == 0.01)

-- wrap around
assert(maxi + id(1) == mini and mini - id(1) == maxi and maxi * id(2) == -2)
assert(-id(mini) == mini and mini // id(-1) == mini and mini % id(-1) == 0)
assert(math.abs(mini) == mini and maxi * id(maxi) == 1)

-- division and modulo
for _, t in ipairs {
  {7, 3, 2, 1}, {-7, 3, -3, 2}, {7, -3, -3, -2}, {-7, -3, 2, -1}, {6, 3, 2, 0}, {-6, 3, -2, 0}, {0, 5, 0, 0},
} do
  assert(t[1] // t[2] == t[3] and t[1] % t[2] == t[4])
  assert((t[1] + 0.0) // t[2] == t[3] and (t[1] + 0.0) % t[2] == t[4])
end
assert(7.5 // 2 == 3.0 and -7.5 // 2 == -4.0 and 7.5 % 2 == 1.5 and -7.5 % 2 == 0.5)
assert(id(1) % math.huge == 1.0 and id(-1) % math.huge == math.huge and id(1) % -math.huge == -math.huge)
assert(5 % id(math.huge) == 5.0)
assert(id(1) / 0 == math.huge and id(-1) / 0 == -math.huge and id(0) / 0 ~= id(0) / 0)
assert(id(1) // 0.0 == math.huge and 1.0 % id(0.0) ~= 1.0 % id(0))
assert(math.type(id(4) / 2) == "float" and math.type(2 ^ id(2)) == "float" and math.type(id(7) // 2) == "integer")
assert(select(2, pcall(load("local a = 0 return 1 // a", "=x"))) == "x:1: attempt to divide by zero")
assert(select(2, pcall(load("local a = 0 return 1 % a", "=x"))) == "x:1: attempt to perform 'n%0'")

-- signed zero, nan
assert(1 / id(-0.0) == -math.huge and 1 / id(0.0) == math.huge and id(0.0) == -0.0 and 0 == -0.0)
local nan = id(0) / 0
assert(nan ~= nan and not (nan == nan) and not (nan < nan) and not (nan <= nan) and not (nan > 1) and not (1 > nan))
assert(tostring(-0.0) == "-0.0" and tostring(0.0) == "0.0")

-- comparison of integers with floats where conversion would lose bits
assert(maxi < id(2 ^ 63) and not (maxi == id(2 ^ 63)) and maxi <= id(2 ^ 63) and not (maxi > id(2 ^ 63)))
assert(mini == id(-2 ^ 63) and mini <= id(-2 ^ 63) and not (mini < id(-2 ^ 63)))
assert((1 << 53) + 1 > id(2 ^ 53) and not ((1 << 53) + 1 == id(2 ^ 53)) and id(2 ^ 53) < (1 << 53) + 1)
assert(maxi - 1 < id(2 ^ 63) and id(2 ^ 63) > maxi and -id(2 ^ 63) <= mini)
assert(id(1) < 1.5 and 1.5 < id(2) and id(-1) > -1.5 and not (id(2) < 1.5) and 2 >= id(1.5))
assert(maxi < math.huge and mini > -math.huge and not (maxi < nan) and not (maxi >= nan))
assert(1 == id(1.0) and ({[1] = "a"})[1.0] == "a" and ({[2 ^ 53] = "b"})[1 << 53] == "b")

-- comparisons with constants, both orders
local i, f = id(5), id(5.5)
assert(i < 6 and i <= 5 and i > 4 and i >= 5 and not (i < 5) and not (i > 5) and i == 5 and i ~= 6)
assert(f < 6 and f > 5 and f >= 5.5 and f <= 5.5 and f ~= 5 and 6 > f and 5 < f and 4 < i and 6 > i and 5 >= i)

-- bitwise
assert(id(1) << 63 == mini and id(1) << 64 == 0 and id(1) << -1 == 0 and id(-1) >> 1 == maxi and id(-1) >> 64 == 0)
assert(id(-1) >> 63 == 1 and id(2) >> -1 == 4 and id(1) << 62 == 4611686018427387904)
assert((id(0xF0) & 0x3C) == 0x30 and (id(0xF0) | 0x0F) == 0xFF and (id(0xFF) ~ 0x0F) == 0xF0 and ~id(0) == -1)
assert((id(3.0) & 1) == 1 and not pcall(function() return "7" & id(3) end))
assert(id(1) << maxi == 0 and id(1) << mini == 0 and id(1) >> mini == 0)
assert(not pcall(load "local a = 1.5 return a & 1") and not pcall(load "local a = '1.5' return a | 1"))
assert(not pcall(load "local a = 2^63 return a | 0"))

-- tostring and back
for _, n in ipairs { 0, 1, -1, maxi, mini, 1.5, -1.5, 1e15, 1e16, 1e100, 0.1, 1 / 3, 2 ^ 53, 2 ^ 63, 123456789012345 } do
  local s = tostring(n)
  assert(math.type(tonumber(s)) == math.type(n))
end
assert(tostring(1e15) == "1e+15" and tostring(2 ^ 53) == "9.007199254741e+15" and tostring(100.0) == "100.0")
assert(tostring(math.huge) == "inf" and tostring(-math.huge) == "-inf" and tostring(3.14) == "3.14")
assert(tostring(mini) == "-9223372036854775808")

-- tonumber
assert(tonumber("  10  ") == 10 and tonumber("0x1p4") == 16.0 and tonumber("1e1") == 10.0 and tonumber("-0x10") == -16)
assert(tonumber("") == nil and tonumber(" ") == nil and tonumber("1 2") == nil and tonumber("0x") == nil)
assert(tonumber("1e") == nil and tonumber("--1") == nil and tonumber("- 1") == nil and tonumber("1\0") == nil)
assert(tonumber("inf") == nil and tonumber("nan") == nil and tonumber("1_0") == nil and tonumber("0b1") == nil)
assert(tonumber("ff", 16) == 255 and tonumber("-zz", 36) == -1295 and tonumber("8", 8) == nil and tonumber("11", 2) == 3)
assert(tonumber("9223372036854775808") == 2.0 ^ 63 and tonumber("-9223372036854775808") == mini)
assert(tonumber("1" .. ("0"):rep(30)) == 1e30 and tonumber("0x" .. ("f"):rep(20)) == -1)
assert(tonumber("\t\n 5 \v\f\r") == 5 and tonumber("5.") == 5.0 and tonumber(".5") == 0.5 and tonumber(".") == nil)

-- math library on the borders
assert(math.tointeger(3.0) == 3 and math.tointeger(3.5) == nil and math.tointeger(2 ^ 63) == nil)
assert(math.floor(-3.5) == -4 and math.ceil(-3.5) == -3 and math.floor(2 ^ 70) == 2 ^ 70 and math.fmod(-7, 3) == -1)
assert(math.ult(1, -1) and not math.ult(-1, 1) and math.max(1, 2.5) == 2.5 and math.min(3, 1, 2) == 1)
assert(math.fmod(mini, -1) == 0 and not pcall(math.fmod, 1, 0) and math.fmod(7, 3.0) == 1.0)
