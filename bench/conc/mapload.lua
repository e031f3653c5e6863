-- One goroutine reads a sync.map of 1000 entries. Prints ns per load.
local n = 2000000
local m, sum = sync.map(), 0
for i = 0, 999 do m:store(i, i) end
local t0 = time.monotonic()
for i = 1, n do sum = sum + m:load(i % 1000) end
assert(sum == n // 1000 * 499500)
print(string.format("%.1f", (time.monotonic() - t0) / n * 1e9))
