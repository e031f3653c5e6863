-- Deadlines: they fire, they only get shorter, odd durations mean what they say.
-- Protects: stdlib/contextlib.c, runtime/context.c (context_start).
local bg = context.background()
local t0 = time.monotonic()
local ctx = context.withtimeout(bg, 0.02)
local kid = context.withcancel(context.withvalue(ctx, "a", 1))
print(ctx:err(), kid:deadline() == ctx:deadline())           -- expect: nil	true
<-kid:done()
print(kid:err(), kid:cause(), ctx:err())                     -- expect: context deadline exceeded	context deadline exceeded	context deadline exceeded
print(time.monotonic() - t0 >= 0.02)                         -- expect: true
print(math.abs(ctx:deadline() - (time.now() - (time.monotonic() - t0)) - 0.02) < 0.005)  -- expect: true

local long = context.withtimeout(bg, 1000)
local short = context.withtimeout(long, 0.5)
local longer = context.withtimeout(short, 2000)
print(short:deadline() < long:deadline(), longer:deadline() == short:deadline())  -- expect: true	true
local at = time.now() + 0.02
local dl, canceldl = context.withdeadline(bg, at)
print(dl:deadline() == at)                                   -- expect: true
<-dl:done()
canceldl()
print(dl:err(), time.now() >= at - 0.001)                    -- expect: context deadline exceeded	true

for _, d in ipairs { 0, -1, -math.huge, math.mininteger } do
  local c = context.withtimeout(bg, d)
  print(c:err(), c:done():recv())
end
-- expect: context deadline exceeded	nil	false
-- expect: context deadline exceeded	nil	false
-- expect: context deadline exceeded	nil	false
-- expect: context deadline exceeded	nil	false
for _, d in ipairs { math.huge, math.maxinteger, 1e300 } do
  local c, cancel = context.withtimeout(bg, d)
  local e = context.withdeadline(bg, d)
  local f = context.withtimeout(context.withtimeout(bg, 50), d)
  assert(c:deadline() == nil and e:deadline() == nil and f:deadline() < time.now() + 51)
  cancel()
  print(c:err(), e:err())
end
-- expect: context canceled	nil
-- expect: context canceled	nil
-- expect: context canceled	nil
print(context.withdeadline(bg, 0):err(), context.withdeadline(bg, -math.huge):err())  -- expect: context deadline exceeded	context deadline exceeded
-- A parent cancelled before counts more than a deadline long past.
local p, cancelp = context.withcancel(bg)
cancelp()
print(context.withtimeout(p, -1):err())                      -- expect: context canceled
