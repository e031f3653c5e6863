-- 200 MB live: the longest pause (ms) of ten full collections, and how much was live (MB).
local live, n = {}, 0
while collectgarbage("count") < 200 * 1024 do
  for i = 1, 10000 do n = n + 1 live[n] = { n, "s" .. n, { x = n } } end
end
for _ = 1, 10 do collectgarbage() end
local m = runtime.memstats()
print(string.format("%.1f %.0f", m.pausemax * 1e3, collectgarbage("count") / 1024))
assert(live[n][3].x == n)
