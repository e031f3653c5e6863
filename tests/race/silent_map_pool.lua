-- options: --race
-- sync.map and sync.pool hand over what their values refer to.
collectgarbage "stop" -- it would take what lies in a pool for long
local map, pool, wg = sync.map(), sync.pool(function() return {n = 0} end), sync.waitgroup()
for i = 1, 10 do
  wg:go(function()
    map:store(i, {i})
    local v = map:loadorstore("all", {count = atomic.int()})
    v.count:add(1)
    for _ = 1, 10 do
      local obj = pool:get()
      obj.n = obj.n + 1
      runtime.gosched()
      pool:put(obj)
    end
    map:range(function(_, value) assert(value[1] == nil or value[1] > 0) end)
    for k in pairs(map) do local x = map:load(k) assert(x ~= nil) end
  end)
end
wg:wait()
assert(#map == 11)
-- each by itself, from goroutines that nothing else orders
local state = {}
local function alone() while runtime.numgoroutine() > 1 do runtime.gosched() end end
local function check(give, take)
  go(function()
    state.n = (state.n or 0) + 1
    give()
  end)
  alone()
  take()
  state.n = state.n + 1
end
local m, p = sync.map(), sync.pool()
check(function() m:store("a", 1) end, function() assert(m:load("a") == 1) end)
check(function() m:store("b", 1) end, function() assert(m:swap("b", 2) == 1) end)
check(function() m:store("c", 1) end, function() local n = 0 for _ in pairs(m) do n = n + 1 end assert(n == 3) end)
check(function() p:put({}) end, function() assert(p:get()) end)
assert(state.n == 8)
