-- signal wakes one, in the order of arrival; broadcast all; a signal is not taken by one that came after it; nobody is
-- lost when signals and waits race.
-- Protects: runtime/sync.c (Cond).
local mu = sync.mutex()
local c = sync.cond(mu)
local N, running, awake = 50, chan(50), chan(50)
for i = 1, N do
  go(function()
    mu:lock()
    running:send(true)
    c:wait()
    awake:send(i)
    mu:unlock()
  end)
  running:recv()
  if i > 1 then
    local v = awake:tryrecv()
    assert(v == nil, "woken without a signal")
  end
  mu:lock() mu:unlock() -- it has let go: it waits
end
for i = 1, N do
  mu:lock() c:signal() mu:unlock()
  assert(<-awake == i, "not in the order of arrival")
end
mu:lock() c:signal() c:broadcast() mu:unlock() -- nobody is there: nothing is remembered
local exit, left, wg = false, 0, sync.waitgroup()
for _ = 1, 20 do
  wg:go(function()
    mu:lock()
    running:send(true)
    while not exit do c:wait() end
    left = left + 1
    mu:unlock()
  end)
end
for _ = 1, 20 do running:recv() end
mu:lock() exit = true c:broadcast() mu:unlock()
wg:wait()
print(left) -- expect: 20
-- A queue with two conditions, hammered.
local empty, full, queue, sum = sync.cond(mu), sync.cond(mu), {}, 0
local M = os.getenv "LUNGODEBUG" and 100 or 1000
for _ = 1, 3 do
  wg:go(function()
    for i = 1, M do
      mu:lock()
      while #queue >= 5 do full:wait() end
      queue[#queue + 1] = i
      empty:signal()
      mu:unlock()
    end
  end)
  wg:go(function()
    for _ = 1, M do
      mu:lock()
      while #queue == 0 do empty:wait() end
      sum = sum + table.remove(queue, 1)
      full:signal()
      mu:unlock()
    end
  end)
end
wg:wait()
print(sum == 3 * M * (M + 1) // 2) -- expect: true
