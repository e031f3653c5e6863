-- options: --race
-- Readers read what writers wrote, and writers overwrite what readers have read.
local rw, wg, t = sync.rwmutex(), sync.waitgroup(), {n = 0}
for i = 1, 10 do
  wg:go(function()
    for k = 1, 20 do
      if (i + k) % 3 == 0 then
        local _ <close> = rw:lock()
        t.n = t.n + 1
        t[k] = i
      else
        local _ <close> = rw:rlock()
        local n, len = t.n, #t
        for key in pairs(t) do n = key end
        if k % 5 == 0 then runtime.gosched() end
      end
    end
    if rw:trylock() then t.n = t.n rw:unlock() end
    if rw:tryrlock() then assert(t.n >= 0) rw:runlock() end
  end)
end
wg:wait()
assert(t.n > 60)
