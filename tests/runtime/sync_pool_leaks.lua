-- A search for goroutines that leak marks twice, but is one collection: a pool gives back no more than at any other,
-- whoever refers to it, the goroutines that leak included.
-- Protects: stdlib/syncdata.c (pool_trace), vm/gc.c (leak_phase).
collectgarbage "stop"
local weak = setmetatable({}, {__mode = "k"})
go(function()
  local pool = sync.pool()
  weak[pool] = "theirs"
  chan():recv()
  pool:put(0)
end)
local ours = sync.pool()
weak[ours] = "ours"
while #runtime.leaks() == 0 do end
local function each(f) for pool, name in pairs(weak) do f(pool, name) end end
each(function(pool) for i = 1, 3 do pool:put({i}) end end)
for _ = 1, 2 do
  runtime.leaks()
  each(function(pool, name)
    local values = {pool:get(), pool:get(), pool:get()}
    if #values ~= 3 or values[1][1] ~= 3 then print(name, #values) end
    for i = #values, 1, -1 do pool:put(values[i]) end
  end)
end
local left = 0
for _ = 1, 2 do collectgarbage() end
each(function(pool) while pool:get() do left = left + 1 end end)
print(left) -- expect: 0
