-- 1,000,000 goroutines parked on a receive: all created, all woken. Prints milliseconds and bytes of resident set each.
local n = 1000000
local function rss()
  local f <close> = io.open("/proc/self/statm")
  local _, pages = f:read("n", "n")
  return pages * 4096
end
local start, done = chan(), chan(1024)
local base, t0 = rss(), time.monotonic()
local function wait() done <- 1 + (<-start or 0) end
for _ = 1, n do go wait() end
while runtime.stats().parks < n - 1000 do runtime.gosched() end
local bytes = (rss() - base) / n
start:close()
local sum = 0
for _ = 1, n do sum = sum + <-done end
assert(sum == n)
print(string.format("%.1f %.0f", (time.monotonic() - t0) * 1e3, bytes))
