-- Every operation on every way to write an operand, for values that it refuses: the texts with their names.
local count, hash = 0, 0
local function check(src)
  local f, e = load(src, "=t", "t", setmetatable({print = function() end}, {__index = _G}))
  local msg = f and select(2, pcall(f)) or e
  msg = tostring(msg):gsub("0x%x+", "ADDR"):gsub("C stack overflow", "stack overflow")
  count, hash = count + 1, hash * 31 + #src
  for i = 1, #msg do hash = hash * 31 + msg:byte(i) & 0xffffffffffff end
  if DETAIL then print(src, msg) end
end
-- The texts are many: only their hash is shown, at each section. For the texts: -e "DETAIL = true".
local function section(name) print(name, count, hash) end
local values = {"nil", "true", "{}", "print", "'s'", "1.5", "2^63", "'1.5'", "'0x10'", "coroutine.running()"}
-- each: declarations, and how the operand is written; V is the value
local operands = {
  {"local v = V", "v"},
  {"g = V", "g"},
  {"local u = V local function f() return EXPR end return f()", "u", true},
  {"local u <const> = V local function f() return EXPR end return f()", "u", true},
  {"local t = {k = V}", "t.k"},
  {"local t = {k = V}", "t['k']"},
  {"local t, k = {k = V}, 'k'", "t[k]"},
  {"local t = {k = {k = V}}", "t.k.k"},
  {"t = {k = V}", "t.k"},
  {"local t = {V}", "t[1]"},
  {"local t = {[300] = V}", "t[300]"},
  {"local t, i = {V}, 1", "t[i]"},
  {"local t = {[1.5] = V}", "t[1.5]"},
  {"local t = {[true] = V}", "t[true]"},
  {"local t = {} t[t] = V", "t[t]"},
  {"local t = {['a b'] = V}", "t['a b']"},
  {"local t = {k = V} local function f() return EXPR end return f()", "t.k", true},
  {"local function r() return V end", "r()"},
  {"local function r() return V end", "(r())"},
  {"local t = {m = function() return V end}", "t:m()"},
  {"local function va(...) return EXPR end return va(V)", "...", true},
  {"local function va(...) return EXPR end return va(V)", "(...)", true},
  {"local function va(...) local a, b = ... return EXPR end return va(1, V)", "b", true},
  {"local function p(a, b) return EXPR end return p(1, V)", "b", true},
  {"local a, b = 1, V", "(a and b)"},
  {"local a, b = nil, V", "(a or b)"},
  {"local v <const> = V", "v"},
  {"local _ENV = {x = V}", "x"},
  {"local _ENV <const> = {x = V}", "x"},
  {"local e = {x = V} local function f(_ENV) return EXPR end return f(e)", "x", true},
  {"local _ENV = {x = V} local function f() return EXPR end return f()", "x", true},
  {"for i, v in next, {V} do return EXPR end", "v", true},
  {"local v do v = V end", "v"},
  {"local v = V goto l ::l::", "v"},
  {"", "(V)"},
}
local ops = {"O()", "O(1, 2)", "O.x", "O.x.y", "O[1]", "O['a b']", "O:m()", "O + 1", "1 + O", "O - O", "2 * O", "O / 1", "O % 2", "O ^ 2", "O // 1", "-O", "O & 1", "1 | O",
  "O ~ O", "~O", "O << 1", "1 >> O", "O .. 'x'", "'x' .. O", "O .. O", "#O", "O < 1", "1 < O", "O <= O", "O > 'x'", "O >= {}", "O == 1 and nil + 1", "O 'x'", "O {}"}
for _, d in ipairs(operands) do
  for _, v in ipairs(values) do
    local decl = d[1]:gsub("V", function() return v end)
    local operand = d[2]:gsub("V", function() return v end)
    for _, op in ipairs(ops) do
      local expr = op:gsub("O", function() return operand end)
      if d[3] then
        check((decl:gsub("EXPR", function() return expr end)))
      else
        check(decl .. " return " .. expr)
      end
    end
  end
end
section 'operands'
-- stores, loops and the like
local stores = {"O.x = 1", "O[1] = 1", "O.x.y = 1", "O.x.y.z = 1", "function O.f() end", "function O:m() end", "function O.a.f() end", "O.x, O.y = 1, 2",
  "for i = O, 1 do break end", "for i = 1, O do break end", "for i = 1, 2, O do break end", "for i = 1.0, O do break end", "for i = 1, 2.5, O do break end", "for i in O do break end", "for i, j in O, 1, 2 do break end",
  "for i in nil, O do break end", "local c <close> = O", "O()", "O.f()", "O:f()", "O.f.g()", "O.f:g()", "O[1]()", "O[1][2]()", "O[O] = 1", "({})[O] = 1"}
for _, d in ipairs(operands) do
  if not d[3] and d[2]:find("^[%a_]") and not d[2]:find("%)$") then
    for _, v in ipairs(values) do
      for _, st in ipairs(stores) do
        check(d[1]:gsub("V", function() return v end) .. " " .. st:gsub("O", function() return d[2] end))
      end
    end
  end
end
section 'stores'
-- through metamethods: the error is the metamethod's own, or what it leads to
local function meta(src) check("local mt = {} local o = setmetatable({}, mt) " .. src) end
for _, ev in ipairs {"__add", "__sub", "__concat", "__unm", "__len", "__eq", "__lt", "__le", "__index", "__newindex", "__call", "__band", "__shl", "__idiv", "__bnot"} do
  for _, v in ipairs {"1", "{}", "'x'", "true", "nil", "setmetatable({}, {})", "function(a) return a.x.y end", "function(a, b) return b.x.y end", "error", "o", "function() error('e', 2) end"} do
    for _, use in ipairs {"return o + 1", "return 1 - o", "return o .. 1", "return -o", "return #o", "return o == setmetatable({}, mt)", "return o < o", "return o <= 1", "return o.f", "return o.f.g",
      "o.f = 1", "return o()", "return o:m()", "return o & 1", "return o << 1", "return o // 2", "return ~o", "for i in o do break end", "for i = o, 1 do break end"} do
      if not (v == "o" and (ev == "__index" or ev == "__newindex" or ev == "__call")) then meta("mt." .. ev .. " = " .. v .. " " .. use) end
    end
  end
end
section 'metamethods'
-- types with a __name
for _, n in ipairs {"'My.Type'", "1", "nil"} do
  for _, op in ipairs(ops) do check("local t = setmetatable({}, {__name = " .. n .. "}) return " .. op:gsub("O", "t")) end
end
section 'names'
