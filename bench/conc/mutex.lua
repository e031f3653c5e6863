-- Two goroutines that contend for one mutex. Prints ns per lock and unlock.
local n = 500000
local mu, wg, count = sync.mutex(), sync.waitgroup(), 0
local t0 = time.monotonic()
for _ = 1, 2 do
  wg:go(function()
    for _ = 1, n do
      mu:lock()
      count = count + 1
      mu:unlock()
    end
  end)
end
wg:wait()
assert(count == 2 * n)
print(string.format("%.1f", (time.monotonic() - t0) / (2 * n) * 1e9))
