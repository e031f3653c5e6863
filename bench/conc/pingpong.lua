-- Unbuffered round trip of two goroutines. Prints ns per round trip.
local n = 500000
local a, b = chan(), chan()
go(function() for v in a do b <- v + 1 end b:close() end)
local t0, sum = time.monotonic(), 0
for i = 1, n do
  a <- i
  sum = sum + <-b
end
local dt = time.monotonic() - t0
a:close()
assert(sum == n * (n + 1) // 2 + n)
print(string.format("%.1f", dt / n * 1e9))
