-- Readers share, a writer is alone, and neither side starves.
-- Protects: runtime/rwmutex.c.
local rw = sync.rwmutex()
rw:rlock() print(rw:tryrlock(), rw:trylock())   -- expect: true	false
rw:runlock() rw:runlock()
print(rw:trylock(), rw:tryrlock())              -- expect: true	false
rw:unlock()
local a, b, wg = 0, 0, sync.waitgroup()
for w = 1, 3 do
  wg:go(function()
    for _ = 1, 300 do
      local _ <close> = rw:lock()
      a = a + 1
      if a % 10 == 0 then runtime.gosched() end
      b = b + 1
    end
  end)
end
local bad = atomic.int()
for r = 1, 6 do
  wg:go(function()
    for _ = 1, 300 do
      local _ <close> = rw:rlock()
      local x = a
      if x % 10 == 0 then runtime.gosched() end
      if x ~= b then bad:add(1) end
    end
  end)
end
wg:wait()
print(a, b, bad:load())                         -- expect: 900	900	0
