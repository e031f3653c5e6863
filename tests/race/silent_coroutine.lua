-- options: --race
-- A coroutine that goroutines resume in turn orders them: what is done inside it, and outside before it is resumed.
local inside, outside, wg = 0, 0, sync.waitgroup()
local co = coroutine.create(function()
  while true do
    inside = inside + 1
    coroutine.yield(inside)
  end
end)
for _ = 1, 10 do
  wg:go(function()
    for _ = 1, 10 do
      while not coroutine.resume(co) do runtime.gosched() end
    end
  end)
end
wg:wait()
assert(inside == 100)
-- a generator given through a channel
local ch = chan()
go(function()
  local gen = coroutine.wrap(function() for i = 1, 5 do coroutine.yield({i}) end end)
  gen()
  ch <- gen
end)
local gen = <-ch
assert(gen()[1] == 2)
