-- Odd durations everywhere: negative ones at once, infinite ones never, NaN an error that says so.
-- Protects: stdlib/timelib.c, runtime/timer.c (time_checkduration).
local nan, inf = 0 / 0, math.huge
local function try(f, ...) print((select(2, pcall(f, ...)):gsub("^[^:]*:%d+: ", ""))) end
local t, k = time.timer(100), time.ticker(100)
try(function() time.sleep(nan) end)              -- expect: bad argument #1 to 'sleep' (duration is NaN)
try(function() time.after(nan) end)              -- expect: bad argument #1 to 'after' (duration is NaN)
try(function() time.tick(nan) end)               -- expect: bad argument #1 to 'tick' (duration is NaN)
try(function() time.timer(nan) end)              -- expect: bad argument #1 to 'timer' (duration is NaN)
try(function() time.ticker(nan) end)             -- expect: bad argument #1 to 'ticker' (duration is NaN)
try(function() time.afterfunc(nan, print) end)   -- expect: bad argument #1 to 'afterfunc' (duration is NaN)
try(function() time.format(nan) end)             -- expect: bad argument #1 to 'format' (duration is NaN)
try(function() t:reset(nan) end)                 -- expect: bad argument #1 to 'reset' (duration is NaN)
try(function() k:reset(nan) end)                 -- expect: bad argument #1 to 'reset' (duration is NaN)
for _, d in ipairs { 0, -1, -inf, -1e300, math.mininteger } do
  time.sleep(d)
  assert((<-time.after(d)) > 1e9 and (<-time.timer(d).c) > 1e9 and time.tick(d) == nil)
  local c = chan()
  time.afterfunc(d, function() c:send(1) end)
  c:recv()
  assert(not pcall(time.ticker, d) and not pcall(k.reset, k, d))
  t:reset(d)
  t.c:recv()
end
try(function() time.ticker(0) end)               -- expect: bad argument #1 to 'ticker' (non-positive interval)
try(function() k:reset(-inf) end)                -- expect: bad argument #1 to 'reset' (non-positive interval)
for _, d in ipairs { inf, 1e300, math.maxinteger, 1 << 40 } do
  local a, b, c = time.timer(d), time.ticker(d), time.afterfunc(d, print)
  t:reset(d) k:reset(d)
  local after, tick = time.after(d), time.tick(d)
  time.sleep(0.001)
  assert(#a.c + #b.c + #t.c + #k.c + #after + #tick == 0)
  assert(a:stop() and c:stop() and not c:stop() and t:stop())
end
for _, d in ipairs { inf, 1e300, math.maxinteger, -inf, math.mininteger, 5000000001, -5000000001, 0.1 + 0.2, 9.2e9, 1e-10, "1.5" } do
  print(time.format(d))
end
-- expect: 2562047h47m16.854775807s
-- expect: 2562047h47m16.854775807s
-- expect: 2562047h47m16.854775807s
-- expect: -2562047h47m16.854775808s
-- expect: -2562047h47m16.854775808s
-- expect: 1388888h53m21s
-- expect: -1388888h53m21s
-- expect: 300ms
-- expect: 2555555h33m20s
-- expect: 0s
-- expect: 1.5s
