-- stop and reset race with firing: a timer that says it was stopped in time has fired no value, and none comes later;
-- moving timers earlier and later again and again loses none; tickers keep their pace after reset, drop ticks nobody
-- took, and can be torn down at any moment.
-- Protects: runtime/timer.c (timer_stop waits for fire), stdlib/timelib.c.
math.randomseed(3)
local short = os.getenv "LUNGODEBUG"
local wrong, wg = atomic.int(), sync.waitgroup()
for g = 1, 4 do
  wg:go(function()
    for i = 1, short and 30 or 500 do
      local t = time.timer(i % 4 * 0.00005)
      for _ = 1, i % 50 * 10 do end
      local armed = t:stop()
      if select(3, t.c:tryrecv()) then wrong:add(1) end -- no stale value, fired or not
      if t:stop() then wrong:add(1) end
      t:reset(0)
      t.c:recv()
      if select(3, t.c:tryrecv()) then wrong:add(1) end
      assert(type(armed) == "boolean")
    end
  end)
end
wg:wait()
print(wrong:load())                       -- expect: 0
local shared = time.timer(3600) -- many reset and stop one timer
for _ = 1, 4 do
  wg:go(function()
    for i = 1, short and 30 or 500 do
      if i % 3 == 0 then shared:stop() else shared:reset(i % 2 == 0 and 0 or 3600) end
    end
  end)
end
wg:wait()
shared:reset(0.001)
print(type((<-shared.c)))                 -- expect: number
for _ = 1, 3 do -- moved earlier and later: each fires once
  local ts = {}
  for i = 1, 100 do ts[i] = time.timer(math.random(20) * 0.001) end
  for _ = 1, 300 do ts[math.random(100)]:reset(math.random(10) * 0.0005) end
  for i = 1, 100 do
    local k = select {{recv = ts[i].c}, {recv = time.after(0.03)}}
    if k == 2 then ts[i]:reset(0) ts[i].c:recv() end
  end
end
for _ = 1, 20 do -- the next timer is later than one that is moved before it
  local far, near = time.timer(0.05), time.timer(3600)
  near:reset(0.001)
  local k = select {{recv = far.c}, {recv = near.c}}
  assert(k == 2, "moved earlier, but fired late")
end
local tick = time.ticker(3600)
tick:reset(0.002)
local t0 = time.monotonic()
for _ = 1, 5 do tick.c:recv() end
print(time.monotonic() - t0 >= 0.008)     -- expect: true
time.sleep(0.02)
tick:stop()
print(select(3, tick.c:tryrecv()))        -- expect: false
for _, bad in ipairs {0, -1} do assert(not pcall(tick.reset, tick, bad) and not pcall(time.ticker, bad)) end
for i = 1, 100 do
  local k = time.ticker(0.00001 + i % 3 * 0.0001)
  if i % 2 == 0 then k.c:recv() end
  k:stop()
end
print "ok"                                -- expect: ok
