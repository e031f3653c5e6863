-- The sign of a NaN outlives being stored: in tables, captured variables and coroutines.
local nan = 0 / 0
for _, x in ipairs {nan, -nan} do
  local t = {x, f = x, [1000] = x}
  local up = x
  local function get() return up end
  local function set(v) up = v end
  print(x, t[1], t.f, t[1000], get(), string.pack(">d", t[1]):byte(1))
  set(-x)
  t[1], t.f = -t[1], -t.f
  print(-x, t[1], t.f, get(), select(2, coroutine.resume(coroutine.create(function(y) return coroutine.yield(y) end), x)))
  print(x == x, t[1] == t[1], next {x} == 1, rawequal(t.f, t.f), t[x], math.type(t.f))
  for i = 1, 100 do t[i] = i % 2 == 0 and x or -x end
  collectgarbage()
  print(t[1], t[2], t[99], t[100], table.concat(t, " ", 3, 6), table.unpack(t, 7, 10))
end
