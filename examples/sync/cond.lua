-- A condition variable: consumers sleep until the producer says that something changed.
-- Expect: got 1 to got 3, in any order, then all consumed
local mu = sync.mutex()
local cond, wg = sync.cond(mu), sync.waitgroup()
local queue = {}

for _ = 1, 3 do
  wg:go(function()
    mu:lock()
    while #queue == 0 do cond:wait() end
    local item = table.remove(queue, 1)
    mu:unlock()
    print("got " .. item)
  end)
end

for i = 1, 3 do
  mu:lock()
  queue[#queue + 1] = i
  mu:unlock()
  cond:signal()
end
wg:wait()
print("all consumed")
