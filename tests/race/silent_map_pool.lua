-- options: --race
-- sync.map and sync.pool hand over what their values refer to.
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
