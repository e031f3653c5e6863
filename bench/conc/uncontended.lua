-- One goroutine and a mutex that nobody else wants. Prints ns per lock and unlock.
local n = 2000000
local mu, count = sync.mutex(), 0
local t0 = time.monotonic()
for _ = 1, n do
  mu:lock()
  count = count + 1
  mu:unlock()
end
assert(count == n)
print(string.format("%.1f", (time.monotonic() - t0) / n * 1e9))
