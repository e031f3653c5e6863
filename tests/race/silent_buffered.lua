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
-- the receiver is there first: its receive happens before the next send that needs its place, and not before this one
local c, t = chan(1), {}
for i = 1, 5 do
  go(function()
    t[i] = i
    c:recv()
  end)
  repeat runtime.gosched() until runtime.stack(true):find("chan receive")
  c <- true
  c <- true
  assert(t[i] == i)
  c:recv()
end
-- what a sender that waited for room did before is seen by who takes its value from the ring later
local full = chan(1)
go(function()
  full <- 1
  t.a = 1
  full <- 2
end)
repeat runtime.gosched() until runtime.stack(true):find("chan send")
assert(full:recv() == 1 and full:recv() == 2 and t.a == 1)
