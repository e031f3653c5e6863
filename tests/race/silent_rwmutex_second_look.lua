-- options: --race
-- A lock that is let go while one comes to wait for it is taken at the second look: that is an edge as well. Short sections,
-- so that this happens often on several processors.
local rw, wg, t = sync.rwmutex(), sync.waitgroup(), {n = 0}
local N = os.getenv "LUNGODEBUG" and 3000 or 100000
for i = 1, 3 do
  wg:go(function()
    for k = 1, N do
      if (k + i) % 3 == 0 then
        rw:lock()
        t.n = t.n + 1
        rw:unlock()
      else
        rw:rlock()
        local _ = t.n
        rw:runlock()
      end
    end
  end)
end
wg:wait()
assert(t.n == N) -- a third of each
