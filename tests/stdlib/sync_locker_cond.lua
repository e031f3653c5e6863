-- A condition over a mutex, over either side of an rwmutex, and over any object with lock and unlock.
-- Protects: stdlib/synclib.c (cond).
local rw = sync.rwmutex()
local object = { mu = sync.mutex(), lock = function(self) self.mu:lock() end, unlock = function(self) self.mu:unlock() end }
local reader = rw:rlock()
rw:runlock()
for _, l in ipairs { sync.mutex(), rw, reader, object } do
  local c, ready, wg = sync.cond(l), atomic.bool(), sync.waitgroup()
  for _ = 1, 4 do
    wg:go(function()
      l:lock()
      while not ready:load() do c:wait() end
      l:unlock()
    end)
  end
  time.sleep(0.001)
  ready:store(true)
  l:lock() c:broadcast() l:unlock()
  wg:wait()
end
print(rw:trylock(), object.mu:trylock())   -- expect: true	true
