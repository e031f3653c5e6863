-- A pool gives each thing to one at a time, and makes a new one only when it has none.
-- Protects: stdlib/syncdata.c (pool).
collectgarbage "stop" -- it takes out what nobody used: let_go.lua
local N = os.getenv "LUNGODEBUG" and 200 or 3000
local made, p = atomic.int()
p = sync.pool(function() return {id = made:add(1), busy = false} end)
local wg = sync.waitgroup()
for _ = 1, 8 do
  wg:go(function()
    local mine = {}
    for i = 1, N do
      local t = p:get()
      assert(not t.busy, "two have it")
      t.busy = true
      mine[#mine + 1] = t
      if i % 7 == 0 then
        for k = #mine, 1, -1 do mine[k].busy = false p:put(mine[k]) mine[k] = nil end
      end
    end
  end)
end
wg:wait()
print(made:load() <= 8 * 7) -- expect: true
