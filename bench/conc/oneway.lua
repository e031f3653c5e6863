-- One way over a channel (buffer: arg[1], default 0). Prints ns per value.
local n, cap = 1000000, tonumber(arg[1] or 0)
local c = chan(cap)
go(function() for i = 1, n do c <- i end c:close() end)
local t0, sum = time.monotonic(), 0
for v in c do sum = sum + v end
assert(sum == n * (n + 1) // 2)
print(string.format("%.1f", (time.monotonic() - t0) / n * 1e9))
