-- Recursion of every kind ends in a catchable error, and the program goes on.
-- Protects: stack growth in vm/state.c, C levels in vm/call.c, vm/meta.c.
local function fails(part, f, ...)
  local ok, e = pcall(f, ...)
  assert(not ok, "no error")
  assert(type(e) == "string" and e:find(part, 1, true), tostring(e))
  return e
end
local function down(n) return 1 + down(n + 1) end
local e = fails("stack overflow", down, 1)
assert(e:find("deep_recursion.lua:%d+: stack overflow"))
for _ = 1, 3 do fails("stack overflow", down, 1) end
local function many(a, b, c, d, e, f, g, h) local t = many(a, b, c, d, e, f, g, h); return t end
fails("stack overflow", many)
local function va(...) return 1, va(1, ...) end
assert(not pcall(va))
-- deep but bounded is fine
local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end
assert(depth(15000) == 15000 and depth(150000) == 150000)
-- pcall in pcall: no C stack
local function nest(n) if n == 0 then return "bottom" end local ok, r = pcall(nest, n - 1); return r end
assert(nest(20000) == "bottom")
local function inner() local ok, e = pcall(inner); return ok, e end
inner()
-- metamethods
local mt = {}
mt.__index = function(t, k) return t[k + 1] end
fails("stack overflow", function() return setmetatable({}, mt)[1] end)
mt.__add = function(a, b) return a + b end
fails("stack overflow", function() local t = setmetatable({}, mt) return t + t end)
mt.__eq = function(a, b) return a == b end
fails("stack overflow", function() return setmetatable({}, mt) == setmetatable({}, mt) end)
mt.__concat = function(a, b) return a .. b end
fails("stack overflow", function() local t = setmetatable({}, mt) return t .. t end)
mt.__newindex = function(t, k, v) t[k] = v end
fails("stack overflow", function() setmetatable({}, mt).x = 1 end)
mt.__len = function(t) return #t end
fails("stack overflow", function() return #setmetatable({}, mt) end)
local c = setmetatable({}, mt)
mt.__call = function(self, n) return 1 + self(n) end
fails("stack overflow", c, 1)
local callchain = type
for _ = 1, 1000 do callchain = setmetatable({}, {__call = callchain}) end
pcall(callchain)
-- C functions that call back
local function cgsub(s) return (string.gsub(s, ".", cgsub)) end
fails("overflow", cgsub, "x")
local function csort() table.sort({1, 2, 3}, csort) end
fails("overflow", csort)
local ts = setmetatable({}, {__tostring = function(t) return tostring(t) end})
fails("overflow", tostring, ts)
local function req() return load("return ...")(select(2, load(function() return req() end))) end
pcall(req)
-- coroutines in coroutines
local function co(n) return coroutine.wrap(co)(n + 1) end
fails("overflow", co, 1)
local function wr(n) if n == 0 then return "deep" end return coroutine.wrap(wr)(n - 1) end
assert(wr(100) == "deep")
-- an overflow in a message handler, in a coroutine, in a goroutine's pcall
assert(not xpcall(error, function(m) return down(1) end, "x"))
local ok = xpcall(down, function(m) return "handled" end, 1)
assert(not ok)
assert(not coroutine.resume(coroutine.create(down), 1))
local done = chan()
go function() local ok, e = pcall(down, 1); done <- tostring(ok) .. tostring(e):match("stack overflow") end()
assert(<-done == "falsestack overflow")
-- __close and defer while the stack overflows
local closed = 0
local function closing(n) local x <close> = setmetatable({}, {__close = function() closed = closed + 1 end}); return closing(n + 1) end
assert(not pcall(closing, 1) and closed > 100)
local deferred = 0
local function deferring(n) defer function() deferred = deferred + 1 end() return deferring(n + 1) end
assert(not pcall(deferring, 1) and deferred > 100)
collectgarbage()
assert(depth(1000) == 1000)
