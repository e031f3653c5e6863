-- Pi by throwing darts: the same work on one processor and on all of them, and how much faster that was.
-- Expect: two estimates near 3.14 and the speed-up.
local function inside(n, seed)
  local x, hits = seed, 0
  for _ = 1, n do
    x = (x * 1103515245 + 12345) & 0x7fffffff
    local a = x / 0x7fffffff
    x = (x * 1103515245 + 12345) & 0x7fffffff
    local b = x / 0x7fffffff
    if a * a + b * b <= 1 then hits = hits + 1 end
  end
  return hits
end

local function pi(darts, workers)
  local results = chan(workers)
  local share = darts // workers
  for w = 1, workers do go(function() results <- inside(share, w * 7919) end) end
  local hits = 0
  for _ = 1, workers do hits = hits + <-results end
  return 4 * hits / (share * workers)
end

local procs, darts = runtime.gomaxprocs(), 4000000
runtime.gomaxprocs(1)
local t0 = time.monotonic()
print(string.format("Pi on 1 processor:  %.3f", pi(darts, procs)))
local one = time.monotonic() - t0
runtime.gomaxprocs(procs)
t0 = time.monotonic()
print(string.format("Pi on %d processors: %.3f", procs, pi(darts, procs)))
print(string.format("speed-up: %.2f", one / (time.monotonic() - t0)))
