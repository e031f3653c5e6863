-- Goroutines that start and end, waited for by a waitgroup: 200,000 at once, or (arg[1] == "waves") in waves of 100.
-- Prints ns per goroutine.
local total = 200000
local wave = arg[1] == "waves" and 100 or total
local wg, hits = sync.waitgroup(), atomic.int(0)
local function work() wg:done() end
local t0 = time.monotonic()
for _ = 1, total // wave do
  wg:add(wave)
  for _ = 1, wave do go work() end
  wg:wait()
end
print(string.format("%.1f", (time.monotonic() - t0) / total * 1e9))
