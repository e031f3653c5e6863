-- Strings as numbers and numbers as strings in operators.
-- Protects: vm/num.c, vm/meta.c (the string metatable's arithmetic).
assert("10" + 1 == 11 and math.type("10" + 1) == "integer" and math.type("10.0" + 1) == "float")
assert("0x10" * "2" == 32 and "3" ^ 2 == 9.0 and -"2" == -2 and -"2.0" == -2.0 and "7" // 2 == 3 and "7" % "4" == 3)
assert(10 .. 20 == "1020" and 1.5 .. "" == "1.5" and -0.0 .. "" == "-0.0" and 2 ^ 53 .. "" == "9.007199254741e+15")
assert(" 5 " + 0 == 5 and "\t7\n" * 1 == 7)
assert("9223372036854775807" + 1 == math.mininteger and "1e1" + 0 == 10.0)
assert(not pcall(function() return "a" + 1 end) and not pcall(function() return {} + 1 end))
assert("10" ~= 10 and not ("10" == 10) and ({["10"] = 1})[10] == nil)
assert(not pcall(function() return "1" < 2 end) and not pcall(function() return 1 <= "2" end))
assert("a" < "b" and "a" < "aa" and "" < "a" and "Z" < "a" and "a\0b" > "a\0a" and "a\0" > "a" and not ("a" < "a"))
assert("a" <= "a" and "b" >= "a" and ("10" < "9"))
for i = "1" + 0, 3 do assert(i <= 3) end
assert(string.format("%d", "10") == "10" and string.rep("a", "3") == "aaa" and ("5"):rep(2) == "55")
assert(#(10 .. "") == 2 and ("x" .. 1 .. 2.0 .. "y") == "x12.0y")
