-- options: --race
-- Of a channel with room for k, the n-th receive happens before the (n+k)-th send: it serves as a semaphore.
local sem, slots, wg = chan(1), {}, sync.waitgroup()
local n = 0
for _ = 1, 20 do
  wg:go(function()
    sem <- true
    n = n + 1
    sem:recv()
  end)
end
wg:wait()
assert(n == 20)
-- a ring of places that are used again, by a sender that runs ahead
local free, full = chan(3), chan(3)
for i = 1, 3 do
  slots[i] = {}
  free <- i
end
go(function()
  for k = 1, 60 do
    local i = <-free
    slots[i].value = k
    full <- i
  end
  full:close()
end)
local sum = 0
for i in full do
  sum = sum + slots[i].value
  slots[i].value = nil
  free <- i
end
assert(sum == 1830)
