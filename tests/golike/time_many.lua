-- Very many timers at once, stopped and reset at random: exactly those fire that were left to; the rest leaves nothing.
-- Protects: runtime/timer.c (the heap), the collector's part in timers.
math.randomseed(1)
local N = os.getenv "LUNGODEBUG" and 500 or 30000
local fired, ts, wg, left = atomic.int(), {}, sync.waitgroup(), atomic.int()
local function count() fired:add(1) end
for g = 1, 4 do
  wg:go(function()
    local x = g
    for i = g, N, 4 do ts[i] = time.afterfunc(1000 + i, count) end
    for _ = 1, N do
      x = (x * 1103515245 + 12345) & 0x7fffffff
      local t = ts[(x >> 8) % (N // 4) * 4 + g]
      if t then if x & 64 == 0 then t:stop() else t:reset(1000 + (x >> 16) % 5000) end end
    end
    for i = g, N, 4 do
      if i % 3 == 0 then ts[i]:stop() else ts[i]:reset(i % 10 * 0.001) left:add(1) end
    end
  end)
end
wg:wait()
for _ = 1, 2000 do if fired:load() == left:load() then break end time.sleep(0.01) end
print(fired:load() == left:load())  -- expect: true
time.sleep(0.005)
print(fired:load() - left:load())   -- expect: 0
ts = nil
