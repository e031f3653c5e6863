-- Debian: lua-lpeg. An arithmetic grammar, captures that call Lua and fail in it, substitution, the re module.
local lpeg, re = require "lpeg", require "re"
local P, R, S, V, C, Ct, Cs, Cf, Cg, Cmt = lpeg.P, lpeg.R, lpeg.S, lpeg.V, lpeg.C, lpeg.Ct, lpeg.Cs, lpeg.Cf, lpeg.Cg, lpeg.Cmt
local function grammar()
  local space = S " \n\t" ^ 0
  local number = C(R "09" ^ 1) / tonumber * space
  local function op(set) return C(S(set)) * space end
  local function eval(a, o, b)
    if o == "+" then return a + b elseif o == "-" then return a - b elseif o == "*" then return a * b end
    if b == 0 then error("division by zero", 0) end
    return a // b
  end
  return space * P { "exp",
    exp = Cf(V "term" * Cg(op "+-" * V "term") ^ 0, eval),
    term = Cf(V "factor" * Cg(op "*/" * V "factor") ^ 0, eval),
    factor = number + "(" * space * V "exp" * ")" * space } * -1
end
local shared = grammar()
return { version = type(lpeg.version) == "function" and lpeg.version() or lpeg.version, use = function(id)
  local own = grammar()
  local out = {}
  for _, g in ipairs { shared, own } do
    out[#out + 1] = g:match "2 * (3 + 4) - 10 / 3 * (1 + 1)"
    local ok, e = pcall(g.match, g, "1 / (2 - 2)")
    out[#out + 1] = tostring(ok) .. " " .. tostring(e)
  end
  out[#out + 1] = Cs((P "a" / "<%0>" + 1) ^ 0):match "banana"
  local depth = 0
  out[#out + 1] = #Ct((Cmt(R "az" ^ 1, function(s, i) depth = depth + 1 return i, s:sub(1, 1) end) * P " " ^ 0) ^ 0):match(
    "the quick brown fox") + depth
  out[#out + 1] = re.gsub("hello world", "{[aeiou]}", "[%1]")
  local pairs_of = re.compile [[ list <- {| pair ("," pair)* |} pair <- { %w+ "=" %w+ } ]]
  out[#out + 1] = table.concat(pairs_of:match "k1=v1,k2=v2", ";")
  return table.concat(out, " | ")
end }
