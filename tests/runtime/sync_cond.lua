-- wait, signal, broadcast, with a mutex, an rwmutex and a locker of one's own.
-- Protects: runtime/sync.c (Cond).
local function try(l)
  local cond, queue, got, wg = sync.cond(l), {}, atomic.int(), sync.waitgroup()
  for _ = 1, 5 do
    wg:go(function()
      l:lock()
      while #queue == 0 do cond:wait() end
      got:add(table.remove(queue))
      l:unlock()
    end)
  end
  for i = 1, 3 do
    l:lock() queue[#queue + 1] = i l:unlock()
    cond:signal()
  end
  l:lock() queue[#queue + 1] = 10 queue[#queue + 1] = 20 l:unlock()
  cond:broadcast()
  wg:wait()
  return got:load()
end
print(try(sync.mutex()), try(sync.rwmutex()))        -- expect: 36	36
local own = sync.mutex()
print(try({lock = function() own:lock() end, unlock = function() own:unlock() end}))  -- expect: 36
print(pcall(sync.cond, 1))     -- expect: false	bad argument #1 to 'sync.cond' (locker expected, got number)
print(pcall(sync.cond, {}))    -- expect: false	bad argument #1 to 'sync.cond' (locker expected, got table)
local m = sync.mutex()
local _, e = pcall(function() sync.cond(m):wait() end)
print((e:gsub("^[^:]*:%d+: ", "")))                  -- expect: unlock of unlocked mutex
