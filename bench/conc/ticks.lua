-- A goroutine in an endless loop beside a ticker of 10 ms. Prints the latest tick's delay in ms and how many arrived of 100.
go(function() while true do end end)
local ticker = time.ticker(0.01)
local t0, worst, got = time.monotonic(), 0, 0
for i = 1, 100 do
  local v, ok = <-ticker.c
  got = got + (ok and 1 or 0)
  local late = time.monotonic() - t0 - i * 0.01
  if late > worst then worst = late end
end
assert(got == 100)
print(string.format("%.2f %d", worst * 1e3, got))
