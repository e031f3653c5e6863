-- Work stealing: goroutines made on one processor are taken over by the idle ones.
-- Expect: 200 goroutines; stolen: true when there are several processors.
local function work(n)
  local x = 0
  for i = 1, 100000 do x = x + i % n end
  return x
end

local wg, total = sync.waitgroup(), atomic.int(0)
for _ = 1, 200 do
  wg:go(function()
    work(7)
    total:add(1)
  end)
end
wg:wait()
print("goroutines:", total:load())
print("stolen:", runtime.gomaxprocs() == 1 or runtime.stats().steals > 0)
