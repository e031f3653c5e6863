-- options: --race
-- The end of once's function happens before every return; so for oncevalue and singleflight.
local once, value, flight, wg = sync.once(), nil, sync.singleflight(), sync.waitgroup()
local get = sync.oncevalue(function() runtime.gosched() return {n = 1} end)
local calls = 0
for _ = 1, 10 do
  wg:go(function()
    once(function() runtime.gosched() value = {n = 1} end)
    assert(value.n == 1)
    assert(get().n == 1)
    local r = flight:run("key", function() runtime.gosched() return {n = 1} end)
    assert(r.n == 1)
  end)
end
wg:wait()
-- who comes when all is over (counting goroutines orders nothing)
local late, v = sync.once()
local function set() v = {n = 2} end
go(function() late(set) end)
while runtime.numgoroutine() > 1 do runtime.gosched() end
late(set)
assert(v.n == 2)
