-- Select over two channels fed by two goroutines. Prints ns per value.
local n = 300000
local a, b = chan(), chan()
go(function() for i = 1, n do a <- i end end)
go(function() for i = 1, n do b <- i end end)
local t0, sum = time.monotonic(), 0
for _ = 1, 2 * n do
  select
  case v = <-a then sum = sum + v
  case v = <-b then sum = sum + v
  end
end
assert(sum == n * (n + 1))
print(string.format("%.1f", (time.monotonic() - t0) / (2 * n) * 1e9))
