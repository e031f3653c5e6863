-- A mutex excludes, also with many goroutines that block inside; lock is to-be-closed.
-- Protects: runtime/sync.c (Mutex).
local mu, n, wg = sync.mutex(), 0, sync.waitgroup()
for g = 1, 8 do
  wg:go(function()
    for i = 1, 500 do
      local _ <close> = mu:lock()
      local old = n
      if i % 50 == 0 then runtime.gosched() end
      n = old + 1
    end
  end)
end
wg:wait()
print(n)                                        -- expect: 4000
print(mu:trylock(), mu:trylock())               -- expect: true	false
mu:unlock()
local function err(f, ...)
  local _, e = pcall(f, ...)
  print((tostring(e):gsub("^[^:]*:%d+: ", "")))
end
err(function() mu:unlock() end)                 -- expect: unlock of unlocked mutex
err(function() mu.lock(1) end)                  -- expect: bad argument #1 to 'lock' (sync.mutex expected, got number)
err(function() sync.rwmutex():unlock() end)     -- expect: unlock of unlocked rwmutex
err(function() sync.rwmutex():runlock() end)    -- expect: unlock of unlocked rwmutex
err(function() local x <close> = mu:lock() error("e") end) -- expect: e
print(mu:trylock())                             -- expect: true
