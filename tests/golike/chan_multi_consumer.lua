-- Many consumers work through one queue and pass results on, with pauses at random: each item is worked on once.
-- Protects: runtime/chan.c.
local WORKERS, ITEMS = 23, os.getenv "LUNGODEBUG" and 1000 or 5000
local primes = {2, 3, 7, 11, 13, 17, 19, 23, 27, 31}
local q, r, wg = chan(WORKERS * 3), chan(WORKERS * 3), sync.waitgroup()
for _ = 1, WORKERS do
  wg:go(function()
    for v in q do
      if primes[v % 10 + 1] == v then runtime.gosched() end
      r <- v
    end
  end)
end
local expect = 0
go(function()
  for i = 1, ITEMS do
    local v = primes[i * 7 % 10 + 1]
    expect = expect + v
    q <- v
  end
  q:close()
  wg:wait()
  r:close()
end)
local n, sum = 0, 0
for v in r do n, sum = n + 1, sum + v end
print(n == ITEMS, sum == expect) -- expect: true	true
