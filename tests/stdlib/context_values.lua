-- Values: the nearest of the key, raw equality, nil hides; through every kind of context.
-- Protects: stdlib/contextlib.c.
local bg = context.background()
local key = {}
local a = context.withvalue(bg, "user", "ann")
local b = context.withvalue(context.withcancel(a), key, 7)
local c = context.withvalue(context.withtimeout(b, 100), "user", "bob")
print(a:value("user"), b:value("user"), c:value("user"), c:value(key), c:value({}), a:value(key))
-- expect: ann	ann	bob	7	nil	nil
print(context.withvalue(c, "user", nil):value("user"))       -- expect: nil
print(c:value(1), context.withvalue(bg, 1, "one"):value(1.0), c:value(nil))   -- expect: nil	one	nil
local eq = setmetatable({}, { __eq = function() return true end })
print(context.withvalue(bg, eq, 1):value(setmetatable({}, getmetatable(eq))))  -- expect: nil
local long = "k" .. ("x"):rep(100)
print(context.withvalue(bg, long, true):value("k" .. ("x"):rep(100)))          -- expect: true
print(context.withvalue(bg, "big", 1 << 62):value("big") == 1 << 62)           -- expect: true
local deep = a
for i = 1, 1000 do deep = context.withvalue(deep, i, i * i) end
print(deep:value(1), deep:value(1000), deep:value("user"))   -- expect: 1	1000000	ann
-- What goes in belongs to all goroutines from then on.
local t = { n = 0 }
local ctx, wg, mu = context.withvalue(bg, "t", t), sync.waitgroup(), sync.mutex()
for _ = 1, 8 do
  wg:go(function()
    for _ = 1, 200 do mu:lock() local u = ctx:value("t") u.n = u.n + 1 u[u.n] = {} mu:unlock() end
  end)
end
wg:wait()
print(t.n, #t)                                               -- expect: 1600	1600
