-- gosched gives way: with one processor two goroutines that do so take turns.
-- Expect: a 1, b 1, a 2, b 2, a 3, b 3
runtime.gomaxprocs(1)
local wg = sync.waitgroup()
local turn = chan(1)

local function count(name)
  for i = 1, 3 do
    print(name .. " " .. i)
    runtime.gosched()
  end
end

wg:go(function()
  wg:go(count, "b")
  turn <- true
end)
<-turn
count("a")
wg:wait()
