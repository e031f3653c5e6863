-- Timers of processors that runtime.gomaxprocs abolished fire also when one processor is left and idle.
-- Cause: a worker looks at the timers of other processors only while it steals, and with one processor nobody does.
runtime.gomaxprocs(4)
local done, sum, armed = chan(), 0, atomic.int(0)
for i = 1, 8 do
  go(function()
    armed:add(1)
    time.sleep(0.1) -- on another processor: main keeps its own
    done:send(i)
  end)
end
while armed:load() < 8 do end
runtime.gomaxprocs(1)
for _ = 1, 8 do sum = sum + done:recv() end
print(sum) -- expect: 36
