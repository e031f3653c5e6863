-- One goroutine adds to an atomic integer. Prints ns per addition.
local n = 3000000
local x = atomic.int()
local t0 = time.monotonic()
for _ = 1, n do x:add(1) end
assert(x:load() == n)
print(string.format("%.1f", (time.monotonic() - t0) / n * 1e9))
