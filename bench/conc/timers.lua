-- Makes timers and stops them before they fire. Prints ns per timer.
local n = 300000
local t0 = time.monotonic()
for _ = 1, n do
  local t = time.timer(3600)
  if not t:stop() then error("fired") end
end
print(string.format("%.1f", (time.monotonic() - t0) / n * 1e9))
