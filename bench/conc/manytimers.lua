-- A million timers at once: made, then stopped and reset at random by two goroutines, then fired within a second. Prints ns
-- per timer to make and arm, ns per random stop or reset, bytes per timer, seconds from the last due time to the last call.
local N = tonumber(arg and arg[1]) or 1000000
local function resident()
  local f = assert(io.open "/proc/self/statm")
  local pages = select(2, f:read("n", "n"))
  f:close()
  return pages * 4096
end
local fired = atomic.int()
local function f() fired:add(1) end
local ts = {}
for i = 1, N do ts[i] = false end
collectgarbage()
local mem0, t0 = resident(), time.monotonic()
for i = 1, N do ts[i] = time.afterfunc(1000 + i % 1000, f) end
local made = time.monotonic() - t0
local mem = resident() - mem0
t0 = time.monotonic()
local wg = sync.waitgroup()
for g = 0, 1 do
  wg:go(function()
    local x = 12345 + g
    for _ = 1, N // 2 do
      x = (x * 1103515245 + 12345) & 0x7fffffff
      local t = ts[(x >> 4) % (N // 2) * 2 + g + 1]
      if x & 0x40000000 == 0 then t:stop() else t:reset(1000 + (x >> 10) % 1000) end
    end
  end)
end
wg:wait()
local changed = time.monotonic() - t0
local due = time.monotonic() + 1
for i = 1, N do ts[i]:reset(due - time.monotonic() - (i % 1000) * 0.0001) end
while fired:load() < N do time.sleep(0.001) end
local last = time.monotonic() - math.max(due, t0 + changed)
print(string.format("%.0f %.0f %.0f %.3f", made / N * 1e9, changed / N * 1e9, mem / N, last))
