-- Two goroutines that read under one rwmutex. Prints ns per rlock and runlock.
local n = 500000
local rw, wg, shared, sum = sync.rwmutex(), sync.waitgroup(), 1, atomic.int()
local t0 = time.monotonic()
for _ = 1, 2 do
  wg:go(function()
    local s = 0
    for _ = 1, n do
      rw:rlock()
      s = s + shared
      rw:runlock()
    end
    sum:add(s)
  end)
end
wg:wait()
assert(sum:load() == 2 * n)
print(string.format("%.1f", (time.monotonic() - t0) / (2 * n) * 1e9))
