-- Waits that come and go: a signal goes to the one that waited longest, never to one that came after it; each broadcast wakes
-- all who wait, each once, round after round; a broadcast is not stolen by one that arrives meanwhile; three that pass a
-- state around by signals find it in order.
-- Protects: runtime/sync.c (Cond: tickets).
local short = os.getenv "LUNGODEBUG"
local mu = sync.mutex()
local c = sync.cond(mu)
local running, awake = chan(100), chan(100)
for i = 1, 100 do
  go(function()
    mu:lock()
    running:send(true)
    c:wait()
    awake:send(i)
    mu:unlock()
  end)
  if i > 1 then assert(<-awake == i - 1) end
  running:recv()
  mu:lock() c:signal() mu:unlock()
end
assert(<-awake == 100)
local N, exit = 50, false
running, awake = chan(N), chan(N)
for g = 1, N do
  go(function()
    mu:lock()
    while not exit do
      running:send(g)
      c:wait()
      awake:send(g)
    end
    mu:unlock()
  end)
end
local ROUNDS = short and 3 or 20
for round = 1, ROUNDS do
  for _ = 1, N do running:recv() end
  if round == ROUNDS then mu:lock() exit = true mu:unlock() end
  assert(select(3, awake:tryrecv()) == false, "awake without a broadcast")
  mu:lock() c:broadcast() mu:unlock()
  local seen = {}
  for _ = 1, N do
    local g = <-awake
    assert(not seen[g], "woken twice")
    seen[g] = true
  end
end
assert(select(3, running:tryrecv()) == false)
for _ = 1, short and 20 or 500 do -- the first one, who waits already, is woken whoever comes
  local first, done, second = chan(), false, sync.waitgroup()
  go(function() mu:lock() first:send(1) c:wait() mu:unlock() first:send(2) end)
  first:recv()
  mu:lock() mu:unlock()
  go(function() c:broadcast() end)
  second:go(function() mu:lock() while not done do c:wait() end mu:unlock() end)
  first:recv()
  mu:lock() done = true mu:unlock()
  c:broadcast()
  second:wait()
end
for _ = 1, short and 10 or 200 do
  local x, wg = 0, sync.waitgroup()
  wg:go(function()
    mu:lock()
    x = 1
    c:wait()
    assert(x == 2)
    x = 3
    c:signal()
    mu:unlock()
  end)
  wg:go(function()
    mu:lock()
    while x ~= 1 do mu:unlock() runtime.gosched() mu:lock() end
    x = 2
    c:signal()
    mu:unlock()
  end)
  wg:go(function()
    mu:lock()
    while x < 2 do mu:unlock() runtime.gosched() mu:lock() end
    if x == 2 then c:wait() assert(x == 3) end
    mu:unlock()
  end)
  wg:wait()
end
print "ok" -- expect: ok
