-- How many goroutines there are: main, then ten more that wait, then main alone again.
-- Expect: 1, 11, 1
local gate, wg = chan(), sync.waitgroup()

print(runtime.numgoroutine())
for _ = 1, 10 do wg:go(function() <-gate end) end
print(runtime.numgoroutine())
gate:close()
wg:wait()
while runtime.numgoroutine() > 1 do runtime.gosched() end
print(runtime.numgoroutine())
