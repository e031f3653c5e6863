-- An unbuffered send waits for its receiver; values arrive in order; both forms do the same.
-- Protects: runtime/chan.c.
local ch = chan()
go(function()
  for i = 1, 3 do ch:send(i) end
  for i = 4, 6 do ch <- i end
  ch:close()
end)
print(ch:recv())        -- expect: 1	true
local v, ok = <-ch
print(v, ok)            -- expect: 2	true
print(<-ch)             -- expect: 3
for x in ch do print(x) end
-- expect: 4
-- expect: 5
-- expect: 6
print(ch:recv())        -- expect: nil	false
print(ch())             -- expect: nil	false
print((<-ch))           -- expect: nil
