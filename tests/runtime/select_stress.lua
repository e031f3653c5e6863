-- Selects on both ends of shared channels, in parallel: each value is taken once, nobody hangs.
-- Protects: runtime/select.c (waiter_win, pass 3).
local W, PER = 4, 1500
local a, b, c = chan(), chan(2), chan()
local done, results = chan(), chan()
for w = 1, W do
  go(function()
    for i = 1, PER do
      local v = (w - 1) * PER + i
      select {{send = a, value = v}, {send = b, value = v}, {send = c, value = v}}
    end
    results:send("sender")
  end)
  go(function()
    local n, sum = 0, 0
    while true do
      local i, v = select {{recv = a}, {recv = b}, {recv = c}, {recv = done}}
      if i == 4 then break end
      n, sum = n + 1, sum + v
    end
    results:send({n, sum})
  end)
end
for _ = 1, W do results:recv() end
while #b > 0 do runtime.gosched() end
done:close()
local n, sum = 0, 0
for _ = 1, W do
  local r = results:recv()
  n, sum = n + r[1], sum + r[2]
end
print(n, sum == W * PER * (W * PER + 1) // 2)   -- expect: 6000	true
