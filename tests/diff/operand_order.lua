-- When a local is read that the other operand assigns: by the instruction, if it belongs to the running function, even if
-- closures capture it; an upvalue earlier. Random expressions and assignments, and the line a hook sees for each.
-- Protects: vm/codegen_expr.c (expr_before), vm/codegen.c (targets).
local seed, count = tonumber(arg[1]) or 4711, tonumber(arg[2]) or 4000
math.randomseed(seed)
local rnd = math.random
local function pick(t) return t[rnd(#t)] end

local binary = {"+", "-", "*", "//", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or", "|", "~", "<<"}
local expr
-- No comparison: for u[x == y], where u is an upvalue, Lua 5.4.4 makes wrong code.
local function key(depth)
  if depth <= 0 then return pick {"a", "b", "1", "f()", "g()"} end
  return pick {"a", "b", "f()", "g()", "t.x", "(" .. expr(depth - 1) .. pick {" + ", " .. ", " // "} .. expr(depth - 1) .. ")"}
end
function expr(depth)
  if depth <= 0 then return pick {"a", "b", "a", "b", "1", "2", "(a)", "f()", "g()"} end
  local k = rnd(10)
  if k <= 5 then return "(" .. expr(depth - 1) .. " " .. pick(binary) .. " " .. expr(depth - 1) .. ")" end
  if k == 6 then return "#{" .. expr(depth - 1) .. ", [" .. expr(depth - 1) .. "] = " .. expr(depth - 1) .. "}" end
  if k == 7 then return pick {"t", "u", "(t)"} .. "[" .. key(depth - 1) .. "]" end
  if k == 8 then return pick {"t", "u"} .. "." .. pick {"x", "y"} end
  if k == 9 then return "id(" .. expr(depth - 1) .. ", " .. expr(depth - 1) .. ")" end
  return pick {"-", "not ", ""} .. expr(depth - 1)
end
local function target(depth)
  local k = rnd(6)
  if k == 1 then return pick {"a", "b"} end
  if k == 2 then return pick {"t", "u"} .. "." .. pick {"x", "y"} end
  if k == 3 then return "t." .. pick {"t", "u"} .. "[" .. key(depth) .. "]" end
  if k == 4 then return pick {"t", "u"} .. "[" .. pick {"a", "b", "1"} .. "]" end
  return pick {"t", "u", "(t)"} .. "[" .. key(depth) .. "]"
end
local function statement(depth)
  local k = rnd(6)
  if k <= 3 then
    local left, right = {}, {}
    for i = 1, rnd(3) do left[i] = target(depth - 1) end
    for i = 1, rnd(3) do right[i] = expr(depth) end
    return table.concat(left, ", ") .. " = " .. table.concat(right, ", ")
  end
  if k == 4 then return "t, u = u, t" .. (rnd(2) == 1 and "" or "; t[a], t = " .. expr(depth) .. ", u") end
  if k == 5 then return "if " .. expr(depth) .. " then emit('yes') else emit('no') end" end
  return "emit(" .. expr(depth) .. ")"
end

-- The variables are the body's own, captured; or upvalues of it; or own and of nobody else.
local prologue = [[
local emit, make = ...
local a, b, t, u = 1, 2, make("t"), make("u")
t.t, t.u, u.t, u.u = t, u, u, t
local function f() a, b = b + 1, a + 1; emit("f", a, b) return 1 end
local function g() t, u = u, t; a = a + 5; emit("g") return 2 end
local function id(x, y) a, t, u = 7, u, t return x end
]]
local shapes = {
  prologue .. "%s\nemit(a, b, t, u)",
  prologue .. "local function body()\n%s\nend\nbody()\nemit(a, b, t, u)",
  prologue .. "local function body(a, t)\nlocal function g() a, t = 9, u; emit('h') return 1 end\n%s\nend\nbody(3, u)\nemit(a, b, t, u)",
}

local texts = setmetatable({}, {__mode = "k"})
local function text(v)
  if type(v) == "table" then return texts[v] or "table" end
  return math.type(v) == "float" and string.format("%.3g", v) or tostring(v)
end
local function run(source)
  local out = {}
  local function emit(...)
    local n = select("#", ...)
    for i = 1, n do out[#out + 1] = text((select(i, ...))) end
    if #out > 200 then error("enough", 0) end
  end
  local mt = {
    __index = function(o, k) emit("index", o, k) return type(k) == "number" and k or 3 end,
    __newindex = function(o, k, v) emit("newindex", o, k, v) end,
  }
  local function make(name)
    local o = setmetatable({x = 4}, mt)
    texts[o] = name
    return o
  end
  local f, message = load(source, "=s")
  if f == nil then return message end
  local ok, err = pcall(f, emit, make)
  if not ok then out[#out + 1] = text(err):gsub("^s:%d+: ", "") end -- Lua 5.4.4 can have a wrong line for arithmetic
  return table.concat(out, " ")
end

for i = 1, count do
  local lines = {}
  for j = 1, rnd(4) do lines[j] = statement(rnd(3)) end
  local source = string.format(pick(shapes), table.concat(lines, "\n"))
  if arg[3] then print(source) end
  print(i, run(source))
end

-- Over several lines: which of them a line hook sees, with what is read late.
local parts = {"\na\n+\nf()\n", "\na\n<\nf()\n", "\na\n==\nf()\n", "t\n[\nf()\n]\n", "(\na\n)\n*\nf()\n", "{\n[\na\n]\n=\nf()\n}", "u\n.\nx\n+\na\n-\nf()\n"}
for i, part in ipairs(parts) do
  for shape, form in ipairs {"local x =%s", "t[\na\n] =%s", "t.x\n, t[1] =%s, 2", "if%s then\nemit(1)\nend"} do
    local source = prologue .. string.format(form, " " .. part) .. "\nemit(a)"
    local chunk, seen = load(source, "=s"), {}
    local co = coroutine.create(chunk)
    debug.sethook(co, function(_, line) seen[#seen + 1] = line end, "l")
    local ok, err = coroutine.resume(co, function() end, function() return setmetatable({}, {__index = function() return 1 end}) end)
    print(i, shape, ok, err, table.concat(seen, " "))
  end
end
