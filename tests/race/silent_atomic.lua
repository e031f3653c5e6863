-- options: --race
-- An atomic operation that sees another one's effect comes after it.
local flag, data, wg = atomic.bool(false), nil, sync.waitgroup()
wg:go(function() data = {1} flag:store(true) end)
wg:go(function()
  while not flag:load() do runtime.gosched() end
  assert(data[1] == 1)
end)
local turn, n = atomic.int(0), 0
for i = 0, 2 do
  wg:go(function()
    for k = 0, 9 do
      while turn:load() ~= 3 * k + i do runtime.gosched() end
      n = n + 1
      turn:add(1)
    end
  end)
end
local spin, m = atomic.int(0), 0
for _ = 1, 3 do
  wg:go(function()
    for _ = 1, 10 do
      while not spin:cas(0, 1) do runtime.gosched() end
      m = m + 1
      spin:swap(0)
    end
  end)
end
local box = atomic.value(nil)
wg:go(function() box:store({x = {7}}) end)
wg:go(function()
  local v
  repeat v = box:load() runtime.gosched() until v
  assert(v.x[1] == 7)
end)
wg:wait()
assert(n == 30 and m == 30)
