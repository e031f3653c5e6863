-- How late timers are, in ms: median, 99th percentile and maximum, for a goroutine that sleeps alone, one that receives from
-- time.after, a ticker, and a thousand goroutines that sleep at the same time. On an idle machine the median is to be below 1
-- and the 99th percentile below 5. On a busy one, try `nice -n -10`.
local late
local function report(what)
  table.sort(late)
  print(string.format("%-20s median %.3f  p99 %.3f  max %.3f", what, late[#late // 2] * 1e3, late[#late * 99 // 100] * 1e3, late[#late] * 1e3))
  return late[#late // 2] < 0.001 and late[#late * 99 // 100] < 0.005
end
local ok = true
late = {}
for i = 1, 300 do
  local d = (i % 50 + 1) * 1e-4
  local t0 = time.monotonic()
  time.sleep(d)
  late[i] = time.monotonic() - t0 - d
end
ok = report "sleep" and ok
late = {}
for i = 1, 300 do
  local d = (i % 50 + 1) * 1e-4
  local t0 = time.monotonic()
  time.after(d):recv()
  late[i] = time.monotonic() - t0 - d
end
ok = report "after" and ok
late = {}
local ticker, t0 = time.ticker(0.002), time.monotonic()
for i = 1, 400 do
  ticker.c:recv()
  late[i] = (time.monotonic() - t0) % 0.002 -- a late receiver misses ticks
end
ticker:stop()
ok = report "ticker" and ok
late = {}
local wg, mu = sync.waitgroup(), sync.mutex()
for g = 1, 1000 do
  wg:go(function()
    for i = 1, 10 do
      local d = 0.02 + (g * 7 + i * 31) % 500 * 1e-4
      local t = time.monotonic()
      time.sleep(d)
      local l = time.monotonic() - t - d
      local _ <close> = mu:lock()
      late[#late + 1] = l
    end
  end)
end
wg:wait()
ok = report "1000 goroutines" and ok
os.exit(ok)
