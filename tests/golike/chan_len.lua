-- # and cap while others send and receive: never outside of 0..cap; a lone observer sees exact numbers.
-- Protects: runtime/chan.c.
local c, stop, wg = chan(5), atomic.bool(false), sync.waitgroup()
local done = chan()
for _ = 1, 2 do wg:go(function() for i = 1, 2000 do c <- i end end) end
for _ = 1, 2 do wg:go(function() for _ = 1, 2000 do c:recv() end end) end
go(function()
  local bad = 0
  while not stop:load() do
    local n = #c
    if n < 0 or n > 5 or c:cap() ~= 5 then bad = bad + 1 end
    runtime.gosched()
  end
  done <- bad
end)
wg:wait()
stop:store(true)
print(<-done, #c)            -- expect: 0	0
for i = 1, 5 do c <- i assert(#c == i) end
for i = 4, 0, -1 do c:recv() assert(#c == i) end
local u = chan()
go(function() u <- 1 end)
time.sleep(0.001)
print(#u, u:cap())           -- expect: 0	0
