-- A goroutine blocked in the system gives its processor away: with one processor the others go on.
-- Expect: counted beside the blocked call: true; slept
runtime.gomaxprocs(1)
local done, n = chan(), 0
go function()
  os.execute("sleep 0.3")
  done <- "slept"
end()
local t0 = time.monotonic()
while time.monotonic() - t0 < 0.15 do
  n = n + 1
  runtime.gosched()
end
print("counted beside the blocked call:", n > 100)
print(<-done)
