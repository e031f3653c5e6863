-- A goroutine that starts many gives way to them now and then: it does not pile up thousands, and their memory with them.
-- Protects: runtime/sched.c (burst_step).
local wg, most = sync.waitgroup(), 0
local function work() wg:done() end
for _ = 1, 20000 do
  wg:add()
  go work()
  most = math.max(most, runtime.numgoroutine())
end
wg:wait()
print(most < 200 * runtime.gomaxprocs() + 200) -- expect: true

-- Also one that is told to by a function that Lua calls back: it goes on, as its thread cannot do anything else.
local t, n = {}, atomic.int()
for i = 1, 300 do t[i] = i end
table.sort(t, function(a, b)
  wg:go(function() n:add(1) end)
  return a > b
end)
wg:wait()
print(n:load() > 300 and t[1] == 300 and t[300] == 1) -- expect: true
