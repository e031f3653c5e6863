-- <const> and <close>: order, errors, yields, return values.
-- Protects: vm/codegen.c, close handling in vm/interp.c and vm/call.c.
local log
local function C(name, fail)
  return setmetatable({}, {__close = function(_, e)
    log[#log + 1] = name .. (e ~= nil and "(" .. tostring(e):gsub("^.-:%d+: ", "") .. ")" or "")
    if fail then error(fail, 0) end
  end})
end
local function run(f, ...) log = {}; local r = table.pack(pcall(f, ...)); return table.concat(log, " "), table.unpack(r, 1, r.n) end

-- order: last opened first; return values are fixed before
local s, ok, v = run(function()
  local x = 1
  local a <close> = C "a"
  local b <close> = C "b"
  local n <close> = nil
  local f <close> = false
  return x
end)
assert(s == "b a" and ok and v == 1)
-- error: each gets the error; an error in one replaces it
local s, ok, e = run(function()
  local a <close> = C("a")
  local b <close> = C("b", "second")
  local c <close> = C("c")
  error("first", 0)
end)
assert(s == "c(first) b(first) a(second)" and not ok and e == "second")
-- error object nil
local s, ok, e = run(function() local a <close> = C "a"; error() end)
assert(not ok and e == nil and s == "a")
-- break, goto, end of loop
local s = run(function()
  for i = 1, 3 do
    local a <close> = C("l" .. i)
    if i == 2 then break end
  end
  do local b <close> = C "blk" end
  while true do local w <close> = C "w"; break end
  repeat local r <close> = C "r" until true
end)
assert(s == "l1 l2 blk w r")
-- multiple results through a close
local s, ok, a, b, c = run(function() local x <close> = C "x"; return 1, 2, 3 end)
assert(s == "x" and a == 1 and b == 2 and c == 3)
local s, ok, n = run(function() local x <close> = C "x"; return select("#", (function() return 1, nil, nil end)()) end)
assert(n == 3)
-- a tail call is no tail call where something must be closed
local s, ok, e = run(function() local x <close> = C "x"; return (function() log[#log + 1] = "called"; return 5 end)() end)
assert(s == "called x" and e == 5)
-- yield inside close
local co = coroutine.wrap(function()
  local x <close> = setmetatable({}, {__close = function() coroutine.yield("in close"); log[#log + 1] = "closed" end})
  return "result"
end)
log = {}
assert(co() == "in close" and co() == "result" and log[1] == "closed")
-- yield inside close after an error
co = coroutine.wrap(function()
  return pcall(function()
    local x <close> = setmetatable({}, {__close = function(_, e) coroutine.yield("closing " .. e) end})
    error("boom", 0)
  end)
end)
assert(co() == "closing boom")
local ok, e = co()
assert(ok == false and e == "boom")
-- coroutine.close
log = {}
co = coroutine.create(function() local a <close> = C "a"; local b <close> = C("b", "err in b"); coroutine.yield() end)
coroutine.resume(co)
local ok, e = coroutine.close(co)
assert(ok == false and e == "err in b" and table.concat(log, " ") == "b a(err in b)" and coroutine.status(co) == "dead")
-- generic for's fourth value
log = {}
for k in next, {1, 2, 3}, nil, C "iter" do log[#log + 1] = k end
assert(table.concat(log, " ") == "1 2 3 iter")
log = {}
pcall(function() for k in next, {1}, nil, C "iter" do error("in body", 0) end end)
assert(table.concat(log, " ") == "iter(in body)")
local function early() for k in next, {1, 2, 3}, nil, C "iter" do if k == 2 then return k end end end
log = {}
assert(early() == 2 and log[1] == "iter")
-- not closable
local ok, e = pcall(function() local x <close> = 42 end)
assert(not ok and e:find("variable 'x' got a non-closable value", 1, true))
local ok, e = pcall(function() local xyz <close> = {} end)
assert(not ok and e:find("variable 'xyz' got a non-closable value", 1, true))
-- metamethod removed meanwhile
local ok, e = pcall(function()
  local x <close> = setmetatable({}, {__close = print})
  getmetatable(x).__close = nil
end)
assert(not ok and e:find("metamethod 'close'", 1, true), e)
-- compile errors
local function bad(src, msg) local f, err = load(src, "=x"); assert(not f and err == msg, err) end
bad("local x <const> = 1; x = 2", "x:1: attempt to assign to const variable 'x'")
bad("local x <close> = nil; x = 2", "x:1: attempt to assign to const variable 'x'")
bad("local x <const> = 1; function f() x = 2 end", "x:1: attempt to assign to const variable 'x'")
bad("local x <foo> = 1", "x:1: unknown attribute 'foo'")
bad("local a <close>, b <close> = 1", "x:1: multiple to-be-closed variables in local list")
local k <const>, m <const>, q <const> = 10, "str", nil
assert(k * 2 == 20 and m .. k == "str10" and q == nil and (function() return k + 1, m end)() == 11)
-- pcall nested in close; deep chains
log = {}
local function deep(n) local c <close> = C("d" .. n); if n > 0 then return deep(n - 1), 1 end end
deep(3)
assert(table.concat(log, " ") == "d0 d1 d2 d3")
-- many to-be-closed at once, in error too
local n = 0
local function many(k)
  local c <close> = setmetatable({}, {__close = function() n = n + 1 end})
  if k == 0 then error("stop") end
  many(k - 1)
end
assert(not pcall(many, 150) and n == 151)
