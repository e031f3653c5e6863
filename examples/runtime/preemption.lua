-- A goroutine that computes without ever giving way is preempted after 10 ms, even with one processor.
-- Expect: main ran beside it: true; preempted: true
runtime.gomaxprocs(1)
go function() while true do end end()
local t0 = time.monotonic()
for _ = 1, 5 do time.sleep(0.01) end
print("main ran beside it:", time.monotonic() - t0 < 5)
print("preempted:", runtime.stats().preemptions > 0)
