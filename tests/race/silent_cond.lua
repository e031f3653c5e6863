-- options: --race
-- A queue with a condition variable, woken by signal and by broadcast.
local mu = sync.mutex()
local cond, queue, closed, sum = sync.cond(mu), {}, false, 0
local wg = sync.waitgroup()
for _ = 1, 3 do
  wg:go(function()
    mu:lock()
    while true do
      while #queue == 0 and not closed do cond:wait() end
      if #queue == 0 then break end
      sum = sum + table.remove(queue)
    end
    mu:unlock()
  end)
end
for i = 1, 50 do
  mu:lock()
  table.insert(queue, i)
  mu:unlock()
  cond:signal()
end
mu:lock()
closed = true
mu:unlock()
cond:broadcast()
wg:wait()
assert(sum == 1275)
