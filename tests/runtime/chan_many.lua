-- Many senders and receivers on one channel: every value arrives exactly once.
-- Protects: runtime/chan.c under parallel use.
local N, PER = 8, 2000
for _, cap in ipairs {0, 1, 7, 128} do
  local ch, sums, wg = chan(cap), chan(N), sync.waitgroup()
  for g = 1, N do
    wg:go(function() for i = 1, PER do ch:send((g - 1) * PER + i) end end)
    go(function()
      local sum, n = 0, 0
      for v in ch do sum = sum + v n = n + 1 end
      sums:send({sum, n})
    end)
  end
  wg:wait()
  ch:close()
  local sum, n = 0, 0
  for _ = 1, N do
    local r = <-sums
    sum, n = sum + r[1], n + r[2]
  end
  print(n == N * PER, sum == N * PER * (N * PER + 1) // 2)
end
-- expect: true	true
-- expect: true	true
-- expect: true	true
-- expect: true	true
