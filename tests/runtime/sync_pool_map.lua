-- pool: last in, first out, `new` when empty. map: single steps, iteration, counting, parallel use.
-- Protects: stdlib/synclib.c.
collectgarbage "stop"
local p = sync.pool(function() return "new" end)
print(p:get())                                   -- expect: new
for i = 1, 20 do p:put(i) end
print(p:get(), p:get())                          -- expect: 20	19
collectgarbage()
print(p:get(), sync.pool():get())                -- expect: 18	nil
collectgarbage "restart"
local m = sync.map()
m:store("a", 1)
print(m:load("a"), m:load("b"), #m)              -- expect: 1	nil	1
print(m:loadorstore("a", 9)) print(m:loadorstore("b", 2))
-- expect: 1	true
-- expect: 2	false
print(m:swap("a", 5)) print(m:swap("c", 6))
-- expect: 1	true
-- expect: nil	false
print(m:compareandswap("a", 4, 7), m:compareandswap("a", 5, 7), m:load("a"))  -- expect: false	true	7
print(m:loadanddelete("a")) print(m:loadanddelete("a"))
-- expect: 7	true
-- expect: nil	false
m:delete("b") m:store("c", nil)
print(#m)                                        -- expect: 0
for i = 1, 10 do m:store(i, i * i) end
local sum, n = 0, 0
for k, v in pairs(m) do sum = sum + v m:delete(k) end
print(sum, #m)                                   -- expect: 385	0
for i = 1, 10 do m:store(i, i) end
m:range(function(k, v) n = n + 1 return n < 4 end)
print(n)                                         -- expect: 4
local wg, wins = sync.waitgroup(), atomic.int()
for g = 1, 8 do
  wg:go(function()
    for i = 1, 200 do
      local _, loaded = m:loadorstore("k" .. i, g)
      if not loaded then wins:add(1) end
    end
  end)
end
wg:wait()
print(wins:load(), #m)                           -- expect: 200	210
print(pcall(m.store, m, nil, 1))                 -- expect: false	table index is nil
