-- Two goroutines that give way to each other. Prints ns per gosched.
local n = 500000
local gosched = runtime.gosched
local wg, count = sync.waitgroup(), 0
local t0 = time.monotonic()
for _ = 1, 2 do
  wg:go(function()
    local mine = 0
    for _ = 1, n do gosched() mine = mine + 1 end
    count = count + mine
  end)
end
wg:wait()
assert(count == 2 * n)
print(string.format("%.1f", (time.monotonic() - t0) / (2 * n) * 1e9))
