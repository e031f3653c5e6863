-- Four goroutines send, four receive, over one channel (buffer: arg[1], default 0). Prints ns per value.
local n, each, cap = 4, 250000, tonumber(arg[1] or 0)
local c, senders, receivers, total = chan(cap), sync.waitgroup(), sync.waitgroup(), atomic.int()
local t0 = time.monotonic()
for _ = 1, n do
  senders:go(function() for i = 1, each do c <- i end end)
  receivers:go(function()
    local sum = 0
    for v in c do sum = sum + v end
    total:add(sum)
  end)
end
senders:wait()
c:close()
receivers:wait()
assert(total:load() == n * (each * (each + 1) // 2))
print(string.format("%.1f", (time.monotonic() - t0) / (n * each) * 1e9))
