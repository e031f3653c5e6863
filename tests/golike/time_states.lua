-- A timer through all its states, many at once in a random order: armed, fired, idle, reset to far and near, stopped; what
-- stop and reset answer is always the state it was in. Moved to the past ten times over, it still fires once.
-- Protects: runtime/timer.c (changes of the heap), stdlib/timelib.c.
math.randomseed(5)
local steps = {
  function(t) assert(t.c:recv() and not t:stop()) end,                 -- a timer of 0 fires
  function(t) assert(t:reset(60) == false) end,                        -- idle: now armed
  function(t) assert(t:reset(180) == true and #t.c == 0) end,          -- armed: moved
  function(t) assert(t:stop() == true and t:stop() == false) end,
  function(t) assert(t:reset(math.huge) == false) end,                 -- never is armed as well
  function(t) assert(t:stop() == true) end,
  function(t) assert(t:reset(120) == false and t:reset(1e9) == true and t:reset(-1) == true) end,
  function(t) assert(t.c:recv() and t:reset(0) == false) end,          -- in the past: fired at once
  function(t)
    while #t.c == 0 do runtime.gosched() end
    assert(t:stop() == true and #t.c == 0 and t:stop() == false)       -- its value was not taken: it counts as pending
  end,
  function(t) t:reset(0) while #t.c == 0 do runtime.gosched() end assert(t:reset(3600) == true and #t.c == 0) end,
  function(t) assert(t:stop()) end,
}
local timers, at, order = {}, {}, {}
local N = os.getenv "LUNGODEBUG" and 20 or 200
for i = 1, N do
  timers[i], at[i] = time.timer(0), 0
  for _ = 1, #steps do order[#order + 1] = i end
end
for i = #order, 2, -1 do local k = math.random(i) order[i], order[k] = order[k], order[i] end
for _, i in ipairs(order) do
  at[i] = at[i] + 1
  steps[at[i]](timers[i])
end
for i = 1, N do
  local t = time.timer(3600)
  for _ = 1, 10 do
    t:stop()
    t:reset(-1e9)
  end
  assert(t.c:recv() and select(3, t.c:tryrecv()) == false)
end
-- A function of afterfunc: stop says whether it was prevented, reset starts it anew, also from inside.
local ran, again = chan(10), 0
local f
f = time.afterfunc(3600, function()
  again = again + 1
  if again < 3 then assert(f:reset(0) == false) end
  ran:send(again)
end)
assert(f:reset(0) == true)
for _ = 1, 3 do ran:recv() end
assert(f:stop() == false and f:reset(3600) == false and f:stop() == true and #ran == 0)
-- Tickers of a nanosecond under collections, and one that is reset while it ticks.
local stop, wg = atomic.bool(), sync.waitgroup()
wg:go(function() while not stop:load() do collectgarbage() time.sleep(1e-9) end end)
local k = time.ticker(1e-9)
for i = 1, 100 do
  k.c:recv()
  if i % 10 == 0 then k:reset(i % 20 == 0 and 1e-9 or 0.0001) end
end
k:stop()
stop:store(true)
wg:wait()
assert(#k.c == 0)
for _ = 1, 3 do local x = time.ticker(0.0005) x.c:recv() x:stop() x:stop() assert(#x.c == 0) end
-- Values of `after` come in the order of their times, and not before them; equal ones in any order.
local slots, got = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0}, chan(13)
local t0 = time.monotonic()
for _, slot in ipairs(slots) do
  local after = time.after(slot * 0.001)
  go(function()
    local wall = <-after
    local d = time.monotonic() - t0
    got:send {slot, d, wall}
  end)
end
for _ = 1, #slots do
  local r = <-got
  assert(r[2] >= r[1] * 0.001 and math.abs(r[3] - time.now()) < 100)
end
print "ok" -- expect: ok
