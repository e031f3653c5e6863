-- Values in a ring, in the hand of a parked sender, and handed over survive collections; old ones die.
-- Protects: chan_trace, marking of waiters.
local ch = chan(2)
for i = 1, 2 do ch:send({i, ("x"):rep(50)}) end
local s = chan()
go(function() s:send({3, ("y"):rep(50)}) end)
while not runtime.stack(true):find("[chan send", 1, true) do runtime.gosched() end
for _ = 1, 5 do collectgarbage() local junk = {} for i = 1, 1000 do junk[i] = {i} end end
print((<-ch)[2] == ("x"):rep(50), ch:recv()[1], (<-s)[2] == ("y"):rep(50))  -- expect: true	2	true
local weak = setmetatable({}, {__mode = "v"})
do
  local c = chan(1)
  weak[1] = {}
  c:send(weak[1])
  weak[2] = c
end
collectgarbage() collectgarbage()
print(weak[1], weak[2])   -- expect: nil	nil
