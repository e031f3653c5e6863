-- The clocks: the monotonic one never goes back, whichever goroutine looks; the one on the wall agrees with os.time; the units
-- are factors; sleeping is finer than a millisecond at its best, and never shorter than asked.
-- Protects: stdlib/timelib.c.
local last, wg, bad = atomic.value(time.monotonic()), sync.waitgroup(), atomic.int()
for _ = 1, 4 do
  wg:go(function()
    for i = 1, 2000 do
      local before = last:load()
      local now = time.monotonic()
      if now < before then bad:add(1) end
      last:store(now)
      if i % 100 == 0 then runtime.gosched() end
    end
  end)
end
wg:wait()
print(bad:load(), math.type(time.monotonic()), math.type(time.now()))  -- expect: 0	float	float
local a, b, c = os.time(), time.now(), os.time()
print(a - 1 <= b and b <= c + 2, time.since(b) >= 0, time.since(b + 100) < 0) -- expect: true	true	true
print(time.hour == 60 * time.minute and time.minute == 60 * time.second and time.second == 1) -- expect: true
print(math.abs(time.millisecond * 1000 - 1) < 1e-9, math.abs(time.microsecond * 1e6 - 1) < 1e-9, math.abs(time.nanosecond * 1e9 - 1) < 1e-9) -- expect: true	true	true
local best = {sleep = math.huge, after = math.huge, func = math.huge}
local function measure(what, d, f)
  local t0 = time.monotonic()
  f(d)
  local late = time.monotonic() - t0 - d
  assert(late >= 0, what)
  best[what] = math.min(best[what], late)
end
local done = chan(1)
for i = 1, 200 do -- at its best, since the machine may be busy
  local d = i % 5 * 0.0001
  measure("sleep", d, time.sleep)
  measure("after", d, function() time.after(d):recv() end)
  measure("func", d, function() time.afterfunc(d, function() done:send(true) end) done:recv() end)
  if math.max(best.sleep, best.after, best.func) < 0.001 and i >= 20 then break end
end
print(best.sleep < 0.001, best.after < 0.001, best.func < 0.001)      -- expect: true	true	true
