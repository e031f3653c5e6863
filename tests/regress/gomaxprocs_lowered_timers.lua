-- Timers of processors that runtime.gomaxprocs abolished fire also when one processor is left and idle.
-- Cause: a worker looks at the timers of other processors only while it steals, and with one processor nobody does.
local done, sum = chan(), 0
for round = 1, 5 do
  runtime.gomaxprocs(4)
  for i = 1, 8 do
    go(function()
      for _ = 1, 5 do time.sleep(0.001) end
      time.sleep(0.03)
      done:send(i)
    end)
  end
  local start = time.monotonic()
  while time.monotonic() - start < 0.01 do runtime.gosched() end
  runtime.gomaxprocs(1)
  for _ = 1, 8 do sum = sum + done:recv() end
end
print(sum) -- expect: 180
