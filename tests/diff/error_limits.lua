-- Texts of the compiler's limits. (Where the registers run out, Lua names the token it has come to; lungo compiles later.)
local function try(name, src) local f, e = load(src, "=s"); print(name, f and "ok" or e:match("[^\n]*"):gsub("(too many registers).*", "%1")) end
local function seq(n, f, sep) local t = {}; for i = 1, n do t[i] = f(i) end return table.concat(t, sep or " ") end
try("200 locals", seq(200, function(i) return "local a" .. i end))
try("201 locals", seq(201, function(i) return "local a" .. i end))
try("201 locals at once", "local " .. seq(201, function(i) return "a" .. i end, ","))
try("201 in function", "function f() " .. seq(201, function(i) return "local a" .. i end, "\n") .. " end")
try("params", "function f(" .. seq(201, function(i) return "a" .. i end, ",") .. ") end")
try("locals in for", seq(198, function(i) return "local a" .. i end) .. " for i = 1, 2 do end")
local decl = seq(150, function(i) return "local a" .. i end)
local function ups(n)
  return "local function o1() " .. seq(130, function(i) return "local a" .. i end) .. " local function o2() " .. seq(130, function(i) return "local b" .. i end) ..
    " return function() return " .. seq(n // 2, function(i) return "a" .. i end, "+") .. "+" .. seq(n - n // 2, function(i) return "b" .. i end, "+") .. " end end end"
end
try("255 upvalues", ups(255))
try("256 upvalues", ups(256))
try("257 upvalues", ups(257))
try("300 args", "f(" .. seq(300, function(i) return "x" .. i end, ",") .. ")")
try("200 args", "f(" .. seq(200, function(i) return "x" .. i end, ",") .. ")")
try("260 returns", "return " .. seq(260, function(i) return "x" .. i end, ","))
try("many targets", seq(150, function(i) return "x" .. i end, ",") .. " = 1")
try("too many targets", seq(250, function(i) return "x" .. i end, ",") .. " = 1")
try("nested functions", seq(210, function(i) return "function f() " end) .. seq(210, function() return "end" end))
