-- Sleeping takes its time and lets others run; nonsense is refused.
-- Protects: stdlib/timelib.c.
local t, out = time.monotonic(), chan(3)
go(function() time.sleep(0.25) out:send(3) end)
go(function() time.sleep(0.1) out:send(2) end)
go(function() time.sleep(0.001) out:send(1) end)
time.sleep(0.3)
local d = time.monotonic() - t
print(d >= 0.3, d < 5, <-out, <-out, <-out)     -- expect: true	true	1	2	3
time.sleep(0) time.sleep(-5)
print(pcall(time.sleep, 0 / 0) == false)         -- expect: true
print(math.abs(time.now() - os.time()) < 5, time.since(time.now() - 10) >= 10)   -- expect: true	true
